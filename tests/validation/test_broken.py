"""Small mistakes in the product, each told in a sentence that says where and what."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from configuration.mapping import load
from rebuy.validation import checks, scripts, template
from rebuy.validation.product import ROOT, Product
from rebuy.validation.rehearsal import Rehearsal
from tasks.states import every_state

Json = dict[str, Any]
Edit = Callable[[Product], Product]
FLOW, REQUESTS, SQL = "data flow", "requests", "SQL and recipes"


@pytest.fixture(scope="module")
def product() -> Product:
    return Product.load()


@pytest.fixture(scope="module")
def rehearsed(product: Product) -> Rehearsal:
    return Rehearsal(product).run()


# --- edits -------------------------------------------------------------------------------------


def text(path: str, old: str, new: str) -> Edit:
    """Another text in a file."""

    def edit(product: Product) -> Product:
        assert old in product.files[path], f"{path} has no {old!r} any more"
        return product.with_file(path, product.files[path].replace(old, new, 1))

    return edit


def deployed(old: str, new: str) -> Edit:
    """Another text in the definition (as JSON writes it)."""

    def edit(product: Product) -> Product:
        written = json.dumps(product.definition)
        assert old in written, f"the definition has no {old!r} any more"
        return replace(product, definition=json.loads(written.replace(old, new)))

    return edit


def find(states: Json, name: str) -> Json | None:
    return dict(every_state(states)).get(name)


def state(name: str, **members: Any) -> Edit:
    """Other fields of a state; None takes one away."""

    def edit(product: Product) -> Product:
        definition = copy.deepcopy(product.definition)
        found = find(definition["States"], name)
        assert found is not None, f"there is no state {name!r} any more"
        for member, value in members.items():
            if value is None:
                del found[member]
            else:
                found[member] = value
        return replace(product, definition=definition)

    return edit


def request(name: str, **members: Any) -> Edit:
    """Other members of a state's request; None takes one away."""

    def edit(product: Product) -> Product:
        definition = copy.deepcopy(product.definition)
        found = find(definition["States"], name) or {}
        sent = found.get("Arguments", found.get("Parameters"))
        for member, value in members.items():
            if value is None:
                del sent[member]
            else:
                sent[member] = value
        return replace(product, definition=definition)

    return edit


def resource(logical: str, change: Callable[[Json], object]) -> Edit:
    """Another resource in the template; `change` is given its properties."""

    def edit(product: Product) -> Product:
        changed = copy.deepcopy(product.template)
        change(changed["Resources"][logical]["Properties"])
        return replace(product, template=changed)

    return edit


def without_action(role: str, action: str) -> Edit:
    """A role that may not do something any more."""

    def take(properties: Json) -> None:
        statements = properties["Policies"][0]["PolicyDocument"]["Statement"]
        assert any(action in one["Action"] for one in statements)
        for one in statements:
            one["Action"] = [name for name in one["Action"] if name != action]
        properties["Policies"][0]["PolicyDocument"]["Statement"] = [
            one for one in statements if one["Action"]
        ]

    return resource(role, take)


def step(recipe: str, number: int, **members: Any) -> Edit:
    """Another step in a recipe of the template (from 0)."""

    def change(properties: Json) -> None:
        action = properties["Steps"][number]["Action"]
        action["Operation"] = members.pop("operation", action["Operation"])
        action.setdefault("Parameters", {}).update(members)

    return resource(recipe, change)


def in_sql(old: str, new: str) -> Edit:
    return deployed(old, new)


RUN = {"run.$": "$.run"}
LOOK = {"FunctionName": "${CheckRawDataArn}"}

CASES: list[tuple[str, str, Edit, str]] = [
    # --- the language
    (
        "definition",
        "a state goes on to one that is not there",
        state("Crawl raw data", Next="Crawld?"),
        r"tasks/crawl.py:\d+: .*Missing 'Next' target: Crawld\?",
    ),
    (
        "definition",
        "a state that nobody reaches",
        state("Judge model", Next="Write audit record"),
        r'State "Better than the live model\?" is not reachable',
    ),
    (
        "definition",
        "a misspelled field",
        state("Wait for crawler", SecondPath="$.run"),
        r"Field 'SecondPath' is not supported",
    ),
    (
        "definition",
        "no end",
        state("Write audit record", End=None),
        r"One of these fields is required: \[Next, End\]",
    ),
    (
        "definition",
        "an integration that AWS does not have",
        state("Join features", Resource="arn:aws:states:::glue:startJobRuns.sync"),
        r"tasks/glue.py:\d+: .*glue:startJobRuns.sync is not recognized",
    ),
    (
        "definition",
        ".sync where there is none",
        state("Create model", Resource="arn:aws:states:::sagemaker:createModel.sync"),
        r"createModel.sync is not recognized",
    ),
    (
        "definition",
        "an SDK operation that there is not",
        deployed("aws-sdk:databrew:createDataset", "aws-sdk:databrew:makeDataset"),
        r"aws-sdk:databrew:makeDataset is not recognized",
    ),
    (
        "definition",
        "JSONata that does not parse",
        state("Clean table", Output="{% $merge([$states.input %}"),
        r"State 'Clean table'",
    ),
    (
        "definition",
        "States.ALL before another catcher",
        state(
            "Smoke test",
            Catch=[
                {"ErrorEquals": ["States.ALL"], "Next": "Roll back"},
                {"ErrorEquals": ["States.Timeout"], "Next": "Roll back"},
            ],
        ),
        r"State 'Smoke test': .*States.ALL",
    ),
    (
        "definition",
        "a name that nobody fills in",
        deployed("${LakeBucket}/models", "${ModelBucket}/models"),
        r"\$\{ModelBucket\} is filled in by nobody.*DefinitionSubstitutions",
    ),
    (
        "definition",
        "a substitution taken out of the template",
        resource("StateMachine", lambda p: p["DefinitionSubstitutions"].pop("WorkGroup")),
        r"\$\{WorkGroup\} is filled in by nobody",
    ),
    (
        "definition",
        "a function that the template does not have",
        request("Smoke test", FunctionName="arn:aws:lambda:us-east-1:000000000000:function:smoke"),
        r"State 'Smoke test' invokes '.*:smoke', which is no function of the template",
    ),
    (
        "definition",
        "a handler whose file is not there",
        resource("SmokeTest", lambda p: p.update(Handler="tasks.functions.smoke_tests.handler")),
        r"SmokeTest has the handler .*smoke_tests.handler, and there is no tasks/functions/smoke_t",
    ),
    (
        "definition",
        "a handler that reads what its state does not send",
        text("tasks/functions/smoke_test.py", "event['run']['id']", "event['runs']['id']"),
        r"smoke_test.py:\d+: The handler reads event\['runs'\].*State 'Smoke test' does not send.*"
        r"It sends: run",
    ),
    (
        "definition",
        "a state that does not send what its handler reads",
        request("Judge model", Payload={"training.$": "$.training"}),
        r"judge_model.py:\d+: The handler reads event\['\w+'\].*State 'Judge model' does not send",
    ),
    # --- data flow
    (
        FLOW,
        "a path that nothing writes",
        state("Wait for crawler", SecondsPath="$.run.options.settle_second"),
        r"tasks/crawl.py:\d+: State 'Wait for crawler' reads \$.run.options.settle_second, which no"
        r" state before it writes.*receive_trigger.py writes: .*settle_seconds",
    ),
    (
        FLOW,
        "a choice over a member that its function never answers",
        deployed("$.crawl.answer.finished", "$.crawl.answer.complete"),
        r"State 'Crawled\?' reads .*\$.crawl.answer.complete.*crawl_raw_data.py writes: .*finished",
    ),
    (
        FLOW,
        "a member that no item of a Map has",
        deployed("$states.input.sql, '<try>'", "$states.input.sqls, '<try>'"),
        r"State 'Run mapping statement' reads \$states.input.sqls, .*There is: .*\bfolder\b",
    ),
    (
        FLOW,
        "a function that leaves a member of its items out",
        text("tasks/functions/plan_mapping.py", '"sql": filled(', '"statement": filled('),
        r"State 'Run mapping statement' reads \$states.input.sql, ",
    ),
    (
        FLOW,
        "a function that answers another member than its choice reads",
        text("tasks/functions/endpoint_changes.py", '"settled": settled', '"done": settled'),
        r"State 'Serving\?' reads .*\$.endpoint.answer.settled, which no state before",
    ),
    (
        FLOW,
        "a result that is dropped and read afterwards",
        state("Judge model", ResultPath="$.judgment"),
        r"State 'Better than the live model\?' reads .*\$.judgement.answer.publish",
    ),
    (
        FLOW,
        "a ResultPath that takes the run away",
        state("Join features", ResultPath="$"),
        r"State 'Train a model\?' reads .*\$.run.options.train",
    ),
    (
        FLOW,
        "a member that a service does not answer",
        state("Join features", ResultSelector={"job_run_id.$": "$.JobRunId"}),
        r"State 'Join features' reads \$.JobRunId",
    ),
    (
        FLOW,
        "a member of a query's statistics that there is not",
        deployed("Statistics.DataScannedInBytes", "Statistics.ScannedBytes"),
        r"reads \$states.result.QueryExecution.Statistics.ScannedBytes",
    ),
    (
        FLOW,
        "a table's name before the state that makes the table",
        deployed("$states.input.features.products.folder", "$states.input.names.products.folder"),
        r"State 'Train' reads \$states.input.names.products.folder, which no state before it",
    ),
    (
        FLOW,
        "a context member that there is not",
        request("Write audit record", Payload={"execution_arn.$": "$$.Execution.Arn"}),
        r"State 'Write audit record' reads \$\$.Execution.Arn",
    ),
    (
        FLOW,
        "a path through a caught failure alone",
        state("Roll back", InputPath="$.endpoint"),
        r"State 'Roll back' ",
    ),
    (
        FLOW,
        "branches in another number than the selector reads",
        state("Build features", ResultSelector={"products.$": "$[4]"}),
        r"State 'Build features' reads \$\[4\]",
    ),
    (
        FLOW,
        "an intrinsic with too few arguments",
        request(
            "Join features", JobName=None, **{"JobName.$": "States.Format('{}-{}', $.run.name)"}
        ),
        r"State 'Join features' fails before it does anything: ",
    ),
    # --- requests
    (
        REQUESTS,
        "a member that the API does not take",
        request("Create model", PrimaryContainers={}),
        r"tasks/publish.py:\d+: State 'Create model': sagemaker:CreateModel would refuse its "
        r'request: The field "PrimaryContainers" is not supported',
    ),
    (
        REQUESTS,
        "a member that the API needs",
        request("Join features", JobName=None),
        r"State 'Join features': .*The field 'JobName' is required but was missing",
    ),
    (
        REQUESTS,
        "a number where a text is wanted",
        deployed('"--validation_percent": "10"', '"--validation_percent": 10'),
        r"Invalid type for parameter Arguments.--validation_percent, value: 10",
    ),
    (
        REQUESTS,
        "an enum's value that there is not",
        deployed('"Format": "PARQUET"', '"Format": "PARKET"'),
        r"Outputs.Format is 'PARKET'; it takes AVRO, CSV, GLUEPARQUET, JSON, ORC, PARQUET",
    ),
    (
        REQUESTS,
        "a name with characters that SageMaker refuses",
        request("Create endpoint config", EndpointConfigName="rebuy_config"),
        r"EndpointConfigName is 'rebuy_config', which does not match",
    ),
    (
        REQUESTS,
        "a name that is too long",
        request("Create model", ModelName="m" * 64),
        r"ModelName has 64 characters; it takes 0 to 63",
    ),
    (
        REQUESTS,
        "a count below the least",
        deployed("$number('${EndpointInstancesMin}')", "0"),
        r"InitialInstanceCount, value: 0, valid min value: 1",
    ),
    (
        REQUESTS,
        "a function's call with a name in lower case",
        text("tasks/functions/smoke_test.py", "EndpointName=", "endpointName="),
        r"smoke_test.py:\d+: invoke_endpoint takes no endpointName; it takes EndpointName",
    ),
    # --- SQL and recipes
    (
        SQL,
        "a column that the table does not have",
        text(
            "sql/checks/orders_are_unique.sql",
            "GROUP BY TRY_CAST(order_id",
            "GROUP BY TRY_CAST(order_nr",
        ),
        r"sql/checks/orders_are_unique.sql:\d+: Athena would refuse the statement: "
        r"COLUMN_NOT_FOUND: line .*order_nr",
    ),
    (
        SQL,
        "a table that is not there",
        text("sql/checks/aisles_are_unique.sql", "}.aisles", "}.aisle"),
        r"TABLE_NOT_FOUND.*'awsdatacatalog.rebuy_raw.aisle' does not exist.*By then rebuy_raw has: "
        r"aisles, departments",
    ),
    (
        SQL,
        "a statement that does not parse",
        text("sql/checks/products_are_unique.sql", "HAVING", "HAVNG"),
        r"sql/checks/products_are_unique.sql:\d+: Athena would refuse",
    ),
    (
        SQL,
        "a check that would scan a table once more",
        text(
            "sql/checks/aisles_are_unique.sql",
            "FROM ${RawDatabase}.aisles",
            "FROM ${RawDatabase}"
            ".aisles AS one INNER JOIN ${RawDatabase}.aisles AS two ON one.aisle_id = two.aisle_id",
        ),
        r"sql/checks/aisles_are_unique.sql",
    ),
    (
        SQL,
        "a table that another branch makes",
        in_sql(
            'FROM ${Database}.\\" & $states.input.prior.table',
            "FROM ${Database}.\\\" & 'next_baskets_' & $states.input.run.id",
        ),
        r"TABLE_NOT_FOUND.*next_baskets_sampleid",
    ),
    (
        SQL,
        "a database that the template does not make",
        in_sql(
            "CREATE OR REPLACE VIEW ${Database}.user_features",
            "CREATE OR REPLACE VIEW shop.user_features",
        ),
        r"sql/publish/user_features.sql:\d+: .*SCHEMA_NOT_FOUND: Schema 'shop' does not exist.*The "
        r"template has: rebuy",
    ),
    (
        SQL,
        "a type that cannot be added to a text",
        in_sql("days_since_prior_order double", "days_since_prior_order string"),
        r"days_since_prior_order",
    ),
    (
        SQL,
        "a recipe's column that its table does not have",
        in_sql("    order_hour_of_day int,\\n", ""),
        r"The recipe writes order_hour_of_day, which the table cleaned_orders_sampleid does not",
    ),
    (
        SQL,
        "a table's column that its recipe does not write",
        in_sql("    reordered int\\n", "    reordered int,\\n    coupon string\\n"),
        r"sql/tables/cleaned_order_products.sql:\d+: .*has coupon, which the recipe does not write",
    ),
    (
        SQL,
        "two tables in one folder",
        in_sql("features/user_product_features", "features/user_features"),
        r"TABLE|would lie in s3://.*/features/user_features",
    ),
    (
        SQL,
        "partition columns that do not come last",
        in_sql("partitioned_by = ARRAY['user_bucket']", "partitioned_by = ARRAY['user_id']"),
        r"HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns",
    ),
    (
        SQL,
        "a work group that the template does not make",
        request("Join prior order lines", WorkGroup="primary2"),
        r"State 'Join prior order lines' uses the work group 'primary2'",
    ),
    (
        SQL,
        "a work group that enforces its own location",
        resource(
            "WorkGroup",
            lambda p: p["WorkGroupConfiguration"].update(EnforceWorkGroupConfiguration=True),
        ),
        r"external_location' property to an Athena Workgroup that enforces",
    ),
    (
        SQL,
        "a recipe step that DataBrew does not have",
        step("CleanOrdersRecipe", 0, operation="TRIMM"),
        r"databrew_recipes/clean_orders.json:\d+: DataBrew would refuse the recipe: .*TRIMM",
    ),
    (
        SQL,
        "a recipe over a column that its dataset lacks",
        step("CleanOrdersRecipe", 0, sourceColumn="ordr_id"),
        r"databrew_recipes/clean_orders.json:\d+: .*ordr_id.*Its dataset has order_id",
    ),
    (
        SQL,
        "a job of a recipe that is not there",
        request("Make the cleaning job", RecipeReference={"Name": "other", "RecipeVersion": "1.0"}),
        r"makes a job of the recipe 'other', which is not there.*rebuy-clean-orders",
    ),
    (
        SQL,
        "a job over a dataset that is not there",
        request("Make the cleaning job", DatasetName="raw"),
        r"makes a job over the dataset 'raw', which is not there",
    ),
    (
        SQL,
        "a job that is started by another name than it was made",
        request("Clean table", Name="{% 'rebuy-' & $states.input.name %}"),
        r"State 'Clean table' starts the DataBrew job 'rebuy-orders', which no state before",
    ),
    # --- scripts
    (
        "scripts",
        "syntax that the container's Python does not have",
        text("training/errors.py", "\n\n\nclass", "\ndef f[T](x: T) -> T: return x\n\nclass"),
        r"training/errors.py:\d+: the SageMaker XGBoost image could not read it",
    ),
    (
        "scripts",
        "except* in the endpoint, whose Python is 3.10",
        text(
            "inference/customers.py",
            "import json",
            "try:\n    pass\nexcept* ValueError:\n    pass\nimport json",
        ),
        r"inference/customers.py:\d+: .*runs on Python 3.10",
    ),
    (
        "scripts",
        "a package that Lambda lacks without its layer",
        text("tasks/functions/judge_model.py", "annotations\n", "annotations\nimport pandas\n"),
        r"judge_model.py:\d+: Lambda Python 3.11 has no package pandas",
    ),
    (
        "scripts",
        "a package that the image lacks",
        text("training/metrics.py", "annotations\n", "annotations\nimport lightgbm\n"),
        r"training/metrics.py:\d+: the SageMaker XGBoost image has no package lightgbm",
    ),
    (
        "scripts",
        "a module with the name of one of the image's packages",
        lambda product: product.with_file("training/packaging.py", '"""Packs."""\n'),
        r"training/packaging.py:1: .*would stand in front of the package packaging",
    ),
    (
        "scripts",
        "a package that Glue lacks",
        text("tasks/glue_jobs/join_features.py", "import sys", "import polars\nimport sys"),
        r"join_features.py:\d+: Glue 5.1 has no package polars",
    ),
    (
        "scripts",
        "a job that is not given an argument of its script",
        deployed('"--holdout_percent": "10"', '"--holdout_percents": "10"'),
        r"join_features.py:\d+: The script needs --holdout_percent, which State 'Join features'",
    ),
    (
        "scripts",
        "a training script that is not in its package",
        deployed("train.py", "trainer.py"),
        r"State 'Train' runs 'trainer.py', which is not in training/.*train.py",
    ),
    (
        "scripts",
        "a Glue job that the template does not have",
        request("Join features", JobName="join"),
        r"State 'Join features' starts the Glue job 'join', which is not in the template",
    ),
    # --- permissions
    (
        "permissions",
        "a state's call without a grant",
        without_action("StateMachineRole", "sagemaker:CreateEndpointConfig"),
        r"infrastructure/\w+.*:\d+: StateMachineRole may not sagemaker:CreateEndpointConfig on "
        r"arn:aws:sagemaker:.*State 'Create endpoint config' needs",
    ),
    (
        "permissions",
        "a job that could not be followed",
        without_action("StateMachineRole", "glue:GetJobRun"),
        r"StateMachineRole may not glue:GetJobRun",
    ),
    (
        "permissions",
        "a role that is not passed on",
        without_action("StateMachineRole", "iam:PassRole"),
        r"StateMachineRole may not iam:PassRole on .*DataBrewRole",
    ),
    (
        "permissions",
        "a function's call without a grant",
        without_action("PutModelLiveRole", "sagemaker:UpdateEndpoint"),
        r"infrastructure/deployables.py:\d+: PutModelLiveRole may not sagemaker:UpdateEndpoint",
    ),
    (
        "permissions",
        "what a service does inside a role",
        without_action("CrawlerRole", "s3:GetObject"),
        r"infrastructure/roles.py:\d+: CrawlerRole may not s3:GetObject on .*which a run needs",
    ),
    (
        "permissions",
        "an alias where AWS asks for the state machine",
        resource(
            "ScheduleRole",
            lambda p: p["Policies"][0]["PolicyDocument"]["Statement"][0].update(
                Resource=[
                    {"Fn::Sub": "arn:aws:states:*:*:stateMachine:rebuy-purchase-prediction:live"}
                ]
            ),
        ),
        r"ScheduleRole may not states:StartExecution",
    ),
    (
        "permissions",
        "a role that does not trust the service it is handed to",
        resource(
            "DataBrewRole",
            lambda p: p["AssumeRolePolicyDocument"]["Statement"][0].update(
                Principal={"Service": "glue.amazonaws.com"}
            ),
        ),
        r"DataBrewRole does not trust databrew.amazonaws.com, to which State 'Make the ",
    ),
]


@pytest.mark.parametrize(
    ("check", "edit", "sentence"),
    [(check, edit, sentence) for check, _, edit, sentence in CASES],
    ids=[why for _, why, _, _ in CASES],
)
def test_a_mistake_is_refused_by_name(
    product: Product, rehearsed: Rehearsal, check: str, edit: Edit, sentence: str
) -> None:
    broken = edit(product)
    same_run = broken.definition is product.definition and broken.template is product.template
    rehearsal = replace(rehearsed, product=broken)
    if not same_run or check in (FLOW, "definition"):
        rehearsal = Rehearsal(broken).run()

    found = [finding.text() for finding in checks.RULES[check](broken, rehearsal)]

    assert any(re.search(sentence, one) for one in found), "\n".join(found) or "nothing was found"


def test_the_product_itself_is_right(product: Product, rehearsed: Rehearsal) -> None:
    found = {
        name: [finding.text() for finding in rule(product, rehearsed)]
        for name, rule in checks.RULES.items()
    }
    assert found == {name: [] for name in checks.RULES}
    assert list(checks.golden(product)) == []


@pytest.mark.parametrize(
    ("kind", "machine"),
    [
        ("instance", {"InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}),
        ("serverless", {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}),
    ],
)
def test_the_endpoint_is_of_the_kind_that_is_set(
    product: Product, kind: str, machine: Json
) -> None:
    template_ = copy.deepcopy(product.template)
    template_["Parameters"]["EndpointKind"]["Default"] = kind
    deployed_so = replace(product, template=template_)

    rehearsal = Rehearsal(deployed_so).run()

    calls = [one for one in rehearsal.calls if one.state == "Create endpoint config"]
    variants = [one.arguments["ProductionVariants"] for one in calls]
    common = {"VariantName": "live", "InitialVariantWeight": 1}
    assert variants
    for (variant,) in variants:
        assert {k: v for k, v in variant.items() if k != "ModelName"} == {**common, **machine}
    assert list(checks.RULES["requests"](deployed_so, rehearsal)) == []


def shop(edit: Callable[[Json], None]) -> Iterator[str]:
    """What is found of the example's mapping, compiled and then edited."""
    source = load(ROOT / "examples/complete_journey/mapping.toml")
    product = Product.load(source, "mapping.toml")
    mapping = copy.deepcopy(product.mapping)
    edit(mapping)
    rule = checks.RULES["mapping"]
    yield from (one.text() for one in rule(replace(product, mapping=mapping), Rehearsal(product)))


def statement(name: str, old: str, new: str) -> Callable[[Json], None]:
    def edit(mapping: Json) -> None:
        (one,) = [one for one in mapping["statements"] if one["name"] == name]
        assert old in one["sql"]
        one["sql"] = one["sql"].replace(old, new, 1)

    return edit


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda mapping: None, None),
        (
            statement("Define transactions", "`quantity` bigint", "`quantity` number"),
            r"^mapping.toml: Define transactions: Athena would refuse .*number",
        ),
        (
            statement("Map orders", '"household_id"', '"household"'),
            r"Map orders: Athena would refuse .*COLUMN_NOT_FOUND.*household",
        ),
        (
            statement("Map aisles", "aisle_id", "aisle_number"),
            r"aisle",
        ),
        (
            lambda mapping: mapping["checks"][0].update(sql="SELECT nothing FROM nowhere"),
            r"would refuse the mapping's statement: .*nowhere",
        ),
        (
            lambda mapping: mapping["statements"].pop(),
            r"The mapped table departments must have department_id as text; it has no such",
        ),
    ],
    ids=["none", "a type", "a column of the files", "a column of the five", "a check", "a table"],
)
def test_a_mappings_statements_are_refused_as_athena_would(
    edit: Callable[[Json], None], sentence: str | None
) -> None:
    found = list(shop(edit))

    if sentence is None:
        assert found == []
    else:
        assert any(re.search(sentence, one) for one in found), found


def test_the_rehearsal_enters_every_state(rehearsed: Rehearsal) -> None:
    entered = {name.rsplit("/", 1)[1] for name, *_ in rehearsed.seen}
    assert entered == set(rehearsed.states)


def test_every_file_that_ships_is_read_by_its_runtime(product: Product) -> None:
    read = scripts.runtimes(product)
    for folder in ("tasks/functions/", "tasks/glue_jobs/", "training/"):
        shipped = {
            path
            for path in product.files
            if path.startswith(folder) and path.endswith(".py") and "__init__" not in path
        }
        assert shipped - set(read) == set()


def both(*edits: Edit) -> Edit:
    def edit(product: Product) -> Product:
        for one in edits:
            product = one(product)
        return product

    return edit


@pytest.mark.parametrize(
    ("region", "edit", "sentences"),
    [
        (
            "us-east-1",
            both(
                resource("JoinFeaturesJob", lambda p: p.update(WorkerTypes="G.1X")),
                resource("SmokeTest", lambda p: p.update(Runtime="python3.5")),
            ),
            [
                r"infrastructure/template/jobs.py:\d+: JoinFeaturesJob: .*WorkerTypes",
                r"SmokeTest: .*python3.5",
            ],
        ),
        ("il-central-1", lambda product: product, [r"AWS::DataBrew::\w+"]),
        (
            "xx-north-1",
            lambda product: product,
            [r"mapping TrainingImages has nothing for xx-north-1"],
        ),
    ],
    ids=["a property that there is not, an old runtime", "a region without DataBrew", "no region"],
)
def test_the_template_is_linted_for_its_region(
    product: Product, region: str, edit: Edit, sentences: list[str]
) -> None:
    rule = template._images if region.startswith("xx") else template.lint

    found = [finding.text() for finding in rule(edit(product), region)]

    for sentence in sentences:
        assert any(re.search(sentence, one) for one in found), "\n".join(found) or "nothing found"
