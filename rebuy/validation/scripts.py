"""Scripts on the Python of their runtime: syntax, imports, the arguments that they are given."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.functions import packages as lambda_packages
from localaws.sagemaker.images import PACKAGES as CONTAINER_PACKAGES
from rebuy.validation import sources
from rebuy.validation.findings import Finding
from rebuy.validation.product import Product
from rebuy.validation.rehearsal import Rehearsal, handler_file

Json = dict[str, Any]
# Glue 5.1: Python 3.11, Spark 3.5 (docs.aws.amazon.com/glue/latest/dg/release-notes.html); the
# packages of the page "Python libraries with AWS Glue" that a script here could mean.
GLUE_PYTHON = {"5.1": (3, 11), "5.0": (3, 11), "4.0": (3, 10), "3.0": (3, 7)}
GLUE_PACKAGES = frozenset(
    ("awsglue", "awsgluedq", "awsglueml", "pyspark", "py4j", "boto3", "botocore", "numpy", "pandas")
)
# docs.aws.amazon.com/glue/latest/dg/add-job-python.html, without a library set.
SHELL_PYTHON, SHELL_PACKAGES = (3, 9), frozenset(("boto3", "botocore"))
CONTAINER_PYTHON = (3, 10)  # the XGBoost 3.0-5 image
OURS = ("tasks", "executions", "inference", "training")


@dataclass(frozen=True)
class Runtime:
    name: str
    python: tuple[int, int]
    packages: frozenset[str]


def check(product: Product, rehearsal: Rehearsal) -> Iterator[Finding]:
    for path, runtime in sorted(runtimes(product).items()):
        yield from of_script(product.files, path, runtime)
    yield from _shadows(product)
    yield from _glue_arguments(product, rehearsal)
    yield from _programs(product, rehearsal)


def runtimes(product: Product) -> dict[str, Runtime]:
    """Each file that ships to the runtime that runs it; a module of several functions is of the
    one with the fewest packages."""
    found: dict[str, Runtime] = {}
    for properties in product.stack.of_type("AWS::Lambda::Function").values():
        version = str(properties.get("Runtime", "")).removeprefix("python")
        if version.count(".") != 1:
            continue
        allowed = lambda_packages.allowed(list(properties.get("Layers", [])))
        python = (int(version.split(".")[0]), int(version.split(".")[1]))
        runtime = Runtime(f"Lambda Python {version}", python, allowed)
        for path in sources.reached(product.files, handler_file(properties)):
            there = found.get(path)
            if there is None or len(there.packages) > len(allowed):
                found[path] = runtime
    for properties in product.stack.of_type("AWS::Glue::Job").values():
        for path in product.files:
            if path.startswith("tasks/glue_jobs/") and _is_script(path, properties):
                found[path] = _of_job(properties)
    container = Runtime("the SageMaker XGBoost image", CONTAINER_PYTHON, CONTAINER_PACKAGES)
    for path in product.files:
        if path.startswith("training/") and path.endswith(".py"):
            found[path] = container
    for path in sources.reached(product.files, "inference/serve.py"):
        found[path] = container
    return found


def _is_script(path: str, job: Json) -> bool:
    """Whether the job runs it: its key is a parameter of the file's name, `JoinFeaturesKey`."""
    name = path.rpartition("/")[2].removesuffix(".py").replace("_", "")
    return str(job["Command"].get("ScriptLocation", "")).endswith(f"/{name}key")


def _of_job(job: Json) -> Runtime:
    if job["Command"].get("Name") == "pythonshell":
        asked = str(job.get("DefaultArguments", {}).get("--additional-python-modules", ""))
        names = frozenset(one.partition("==")[0] for one in asked.split(",") if one)
        return Runtime("A Python shell job of Glue", SHELL_PYTHON, SHELL_PACKAGES | names)
    version = str(job.get("GlueVersion", ""))
    return Runtime(f"Glue {version}", GLUE_PYTHON.get(version, (3, 10)), GLUE_PACKAGES)


def of_script(files: Mapping[str, str], path: str, runtime: Runtime) -> Iterator[Finding]:
    version = ".".join(map(str, runtime.python))
    try:
        tree = ast.parse(files[path], feature_version=runtime.python)
    except SyntaxError as error:
        yield Finding(
            path,
            error.lineno or 0,
            f"{runtime.name} could not read it: {error.msg}.",
            f"It runs on Python {version}.",
        )
        return
    modules = {file.split("/")[-1].removesuffix(".py") for file in files if file.endswith(".py")}
    for node in ast.walk(tree):
        for name in imported(node):
            if name in sys.stdlib_module_names or name in OURS or name in runtime.packages:
                continue
            if path.startswith(("training/", "inference/")) and name in modules:
                continue  # beside it, at the top level of its package
            yield Finding(
                path,
                getattr(node, "lineno", 0),
                f"{runtime.name} has no package {name}.",
                "Use the standard library or what the runtime brings.",
            )


def _shadows(product: Product) -> Iterator[Finding]:
    """SageMaker's toolkit installs a script's folder at the top level of the image's packages
    (`packages=['']`), so a module there stands where every import of that name leads. Ours import
    each other as `training.x` and `inference.x`; what they must not be is another's name."""
    for path, runtime in runtimes(product).items():
        name = path.rpartition("/")[2].removesuffix(".py")
        if runtime.packages is not CONTAINER_PACKAGES:
            continue
        if name in sys.stdlib_module_names or name in CONTAINER_PACKAGES:
            yield Finding(
                path,
                1,
                f"In the SageMaker XGBoost image it would stand in front of the package {name}.",
                "Give the file a name that neither Python nor the image has.",
            )


def imported(node: ast.AST) -> list[str]:
    """The top-level packages that an import statement needs."""
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
        return [node.module.split(".")[0]]
    return []


# --- arguments -----------------------------------------------------------------------------------


def _glue_arguments(product: Product, rehearsal: Rehearsal) -> Iterator[Finding]:
    """getResolvedOptions ends a job that was not given what it names."""
    jobs = {
        product.stack.name(logical): properties
        for logical, properties in product.stack.of_type("AWS::Glue::Job").items()
    }
    for call in rehearsal.calls:
        if call.resource.service != "glue" or call.resource.action != "startJobRun":
            continue
        file, line = product.where_state(call.state)
        name = call.arguments.get("JobName")
        if name not in jobs:
            yield Finding(
                file,
                line,
                f"State {call.state!r} starts the Glue job {name!r}, which is not in the template.",
                f"It has {', '.join(jobs)}.",
            )
            continue
        given = {**jobs[name].get("DefaultArguments", {}), **call.arguments.get("Arguments", {})}
        for path, number, wanted in _resolved(product.files):
            lacking = [one for one in wanted if f"--{one}" not in given and one != "JOB_NAME"]
            if lacking:
                yield Finding(
                    path,
                    number,
                    f"The script needs --{', --'.join(lacking)}, which State {call.state!r} does "
                    "not give.",
                    f"It gives {', '.join(sorted(given))} ({file}:{line}).",
                )


def _resolved(files: Mapping[str, str]) -> Iterator[tuple[str, int, list[str]]]:
    """(file, line, names) of the names that a Glue script always asks for: the list that it gives
    getResolvedOptions, or the one that a name of its stands for."""
    for path, text in files.items():
        if not path.startswith("tasks/glue_jobs/"):
            continue
        tree = sources.tree(text)
        if tree is None:
            continue
        lists = {
            target.id: node
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.List)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            if called != "getResolvedOptions":
                continue
            given: Any = node.args[1]
            if isinstance(given, ast.Name) and given.id in lists:
                given = lists[given.id].value
            if isinstance(given, ast.List):
                names = [str(one.value) for one in given.elts if isinstance(one, ast.Constant)]
                yield path, node.lineno, names


def _programs(product: Product, rehearsal: Rehearsal) -> Iterator[Finding]:
    """The scripts that SageMaker is told to run are in their packages."""
    for call in rehearsal.calls:
        if call.resource.service != "sagemaker" or not isinstance(call.arguments, dict):
            continue
        parameters = call.arguments.get("HyperParameters", {})
        environment = (call.arguments.get("PrimaryContainer") or {}).get("Environment", {})
        for folder, name in (
            ("training", str(parameters.get("sagemaker_program", "")).strip('"')),
            ("inference", str(environment.get("SAGEMAKER_PROGRAM", ""))),
        ):
            if name and f"{folder}/{name}" not in product.files:
                file, line = product.where_state(call.state)
                there = [p for p in product.files if p.startswith(f"{folder}/")]
                yield Finding(
                    file,
                    line,
                    f"State {call.state!r} runs {name!r}, which is not in {folder}/.",
                    f"It has {', '.join(sorted(path.split('/')[-1] for path in there))}.",
                )
