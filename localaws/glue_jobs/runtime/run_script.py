"""Runs a job script as Glue does, and leaves the exception it ended with for whoever asks.

Usage: run_script.py RESULT SCRIPT [ARGUMENT ...]. Not imported by localaws.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import runpy
import site
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

GATEWAY_SECONDS = 300.0  # a busy machine needs one for a Java machine to begin


def describe(error: BaseException) -> str:
    """The line that Glue shows: the exception's class and the first line of its message."""
    name = type(error).__name__
    text = str(error)
    java = getattr(error, "java_exception", None)  # py4j: the cause is in the JVM
    if java is not None:
        first = text.splitlines()[0] if text else ""
        try:
            text = f"{first} {java.toString()}".strip()
        except Exception:  # the JVM may be gone
            text = first
    lines = text.splitlines()
    return f"{name}: {lines[0]}" if lines else name


def main(result: Path, script: Path, arguments: list[str]) -> int:
    sys.argv = [str(script), *arguments]
    if os.environ.get("LOCALAWS_POLICIES"):
        importlib.import_module("s3_reads").install()  # beside this file
    if packages := os.environ.pop("LOCALAWS_PACKAGES", ""):
        restrict(*json.loads(packages))
    sys.path.insert(0, str(script.parent))
    tables = importlib.import_module("spark_tables")  # beside this file
    text = script.read_text(errors="replace")
    tables.install(text)
    if "spark" in text or "awsglue" in text:
        bound_gateway()
    try:
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        result.write_text(json.dumps({"message": f"SystemExit: {end.code}"}))
        return 1
    except BaseException as error:
        result.write_text(json.dumps({"message": describe(error)}))
        traceback.print_exc()
        return 1
    finally:
        with contextlib.suppress(Exception):  # the JVM may be gone
            tables.warn_of_lost_tables()
        end_event_log()
    return 0


def bound_gateway() -> None:
    """PySpark waits without end for a Java machine that runs and could not write down where it
    listens, as on a full disk: that one is killed, and PySpark says that it has ended."""
    with contextlib.suppress(ImportError):
        gateway: Any = importlib.import_module("pyspark.java_gateway")
        start = gateway.Popen

        def bounded(*args: Any, **named: Any) -> Any:
            process = start(*args, **named)
            timer = threading.Timer(GATEWAY_SECONDS, give_up, (process,))
            timer.daemon = True
            timer.start()
            return process

        gateway.Popen = bounded


def give_up(process: Any) -> None:
    if sys.modules["pyspark"].SparkContext._gateway is None:
        process.kill()


def restrict(folders: str, allowed: str) -> None:
    """Of installed packages the script finds these alone (localaws/core/runtime)."""
    file = Path(__file__).parents[2] / "core" / "runtime" / "runtime_packages.py"
    spec = importlib.util.spec_from_file_location("runtime_packages", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.install(folders, allowed)
    site.setquit()  # exit() and quit(), which Python has with its packages


def end_event_log() -> None:
    """Stops Spark where it notes its events: without an end the history takes it for running."""
    pyspark = sys.modules.get("pyspark")
    context = pyspark.SparkContext._active_spark_context if pyspark else None
    if context is not None and context.getConf().get("spark.eventLog.enabled") == "true":
        context.stop()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
