"""The page Prepare in a browser, over a real DataBrew: recipes made by hand, seen, undone, run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from console.page import STATIC
from console.prepare import PreparePage, delimiter_of
from console.web import Refused
from tests.console.conftest import client, violations
from tests.console.machines import ROLE

Json = dict[str, Any]

SLOW = 60_000
BUCKET = "prepare"
RECIPES = Path(__file__).parents[2] / "databrew_recipes"
MESSY = """\
Name;Joined;Price;Age
 Ann ;2024-01-02;"$1,200.50";31
Bob;2024-01-03;$20.00;n/a
Bob;2024-01-03;$20.00;n/a
Cleo;unknown;$7.25;44
Dora;2024-02-05;$8.00;29
Ed;2024-02-06;$9.75;51
"""
CLEAN = """\
Name,Joined,Price,Age
Ann,2024-01-02,1200.5,31
Bob,2024-01-03,20.0,
Cleo,,7.25,44
Dora,2024-02-05,8.0,29
Ed,2024-02-06,9.75,51
"""
FILES = {
    "messy": MESSY,
    "order_products": "order_id,product_id,add_to_cart_order,reordered\n1,7,1,0\n1,8,2,1\n",
    "orders": "order_id,user_id,eval_set,order_number,order_dow,order_hour_of_day,"
    "days_since_prior_order\n1,5, prior ,1,2,10,\n2,5,train,2,3,11,7.0\n",
    "purchases": "user_id,product_id,order_id,order_number,reordered\n"
    "5,7,1,1,0\n5,7,2,2,1\n6,7,3,1,0\n",
    "wide": "id," + ",".join(f"c{n}" for n in range(30)) + "\n" + f"1{',x' * 30}\n",
    "long": "n,a,b\n" + "".join(f"{n},{n % 7},{n % 5}\n" for n in range(5_000)),
}


@pytest.fixture(scope="session")
def brew(localaws: str) -> Any:
    s3, brew = client("s3", localaws), client("databrew", localaws)
    s3.create_bucket(Bucket=BUCKET)
    for name, text in FILES.items():
        s3.put_object(Bucket=BUCKET, Key=f"{name}.csv", Body=text.encode())
    return brew


@pytest.fixture
def project(
    brew: Any, console: str, page: Page, request: pytest.FixtureRequest
) -> Callable[..., str]:
    """Makes a project over one of the files and opens its page; gives the project's name."""

    def begin(file: str, *steps: Json, size: int = 500) -> str:
        name = re.sub(r"[\W_]+", "-", f"{request.node.name}-{file}").strip("-")
        delimiter = ";" if file == "messy" else ","
        brew.create_dataset(
            Name=name,
            Format="CSV",
            FormatOptions={"Csv": {"Delimiter": delimiter}},
            Input={"S3InputDefinition": {"Bucket": BUCKET, "Key": f"{file}.csv"}},
        )
        brew.create_recipe(Name=name, Steps=list(steps))
        brew.create_project(
            Name=name,
            DatasetName=name,
            RecipeName=name,
            RoleArn=ROLE,
            Sample={"Type": "FIRST_N", "Size": size},
        )
        page.goto(f"{console}/#/prepare/{name}")
        expect(page.get_by_role("table", name="Sample")).to_be_visible(timeout=SLOW)
        return name

    return begin


def step(operation: str, **parameters: str) -> Json:
    return {"Action": {"Operation": operation, "Parameters": parameters}}


def recipe(brew: Any, name: str) -> list[Json]:
    found: list[Json] = brew.describe_recipe(Name=name, RecipeVersion="LATEST_WORKING")["Steps"]
    return found


def steps(page: Page) -> Locator:
    return page.locator(".recipe-steps > li")


def pick(page: Page, operation: str) -> Locator:
    """The form of an action, found in the menu by its name in DataBrew."""
    page.get_by_role("button", name="Add a step").click()
    page.get_by_label("Search actions").fill(operation)
    page.keyboard.press("Enter")
    form = page.locator("form.step-form")
    expect(form).to_contain_text(operation)
    return form


def add(page: Page, operation: str, *acts: Callable[[Locator], Any]) -> None:
    before = steps(page).count()
    form = pick(page, operation)
    for act in acts:
        act(form)
    form.get_by_role("button", name="Apply").click()
    expect(steps(page)).to_have_count(before + 1, timeout=SLOW)
    expect(page.get_by_role("button", name="Add a step")).to_be_enabled(timeout=SLOW)


def choose(label: str, value: str) -> Callable[[Locator], Any]:
    return lambda form: form.get_by_label(label, exact=True).select_option(value)


def write(label: str, text: str) -> Callable[[Locator], Any]:
    return lambda form: form.get_by_label(label, exact=True).fill(text)


def tick(label: str, group: str | None = None) -> Callable[[Locator], Any]:
    def act(form: Locator) -> None:
        within = form.get_by_role("group", name=group) if group else form
        within.get_by_label(label).check()

    return act


def change_type(page: Page, column: str, kind: str) -> None:
    add(page, "CHANGE_DATA_TYPE", choose("Column", column), choose("Type", kind))


def shown_json(page: Page) -> Any:
    page.get_by_role("tab", name="JSON").click()
    return json.loads(page.get_by_label("Recipe as JSON").input_value())


def theirs(name: str) -> Any:
    return json.loads((RECIPES / f"{name}.json").read_text())


def test_the_recipe_of_order_lines_is_made_by_hand(
    page: Page, project: Callable[..., str], brew: Any
) -> None:
    name = project("order_products")
    for column, kind in (
        ("order_id", "long"),
        ("product_id", "long"),
        ("add_to_cart_order", "int"),
        ("reordered", "int"),
    ):
        change_type(page, column, kind)

    assert shown_json(page) == recipe(brew, name) == theirs("clean_order_products")


def test_the_recipe_of_orders_is_made_by_hand(
    page: Page, project: Callable[..., str], brew: Any
) -> None:
    name = project("orders")
    add(
        page,
        "REMOVE_COMBINED",
        choose("Column", "eval_set"),
        tick("Remove leading and trailing whitespace"),
    )
    for column, kind in (
        ("order_id", "long"),
        ("user_id", "long"),
        ("order_number", "int"),
        ("order_dow", "int"),
        ("order_hour_of_day", "int"),
        ("days_since_prior_order", "double"),
    ):
        change_type(page, column, kind)

    assert shown_json(page) == recipe(brew, name) == theirs("clean_orders")


def test_the_recipe_of_products_is_made_by_hand(
    page: Page, project: Callable[..., str], brew: Any
) -> None:
    name = project("purchases")
    add(
        page,
        "ROW_NUMBER",
        tick("user_id", "In groups of (optional)"),
        tick("product_id", "In groups of (optional)"),
        tick("order_number", "In the order of"),
        write("New column", "product_purchase_number"),
    )
    for number, column in (("1", "is_first_purchase"), ("2", "is_second_purchase")):
        add(
            page,
            "CATEGORICAL_MAPPING",
            choose("Column", "product_purchase_number"),
            write("Value 1", number),
            write("Becomes 1", "1"),
            choose("Delete other rows (optional)", "false"),
            write("All other values become (optional)", "0"),
            choose("Keep others (optional)", "false"),
            choose("New values are", "NUMERIC"),
            write("New column", column),
        )
    figures = [
        ("order_id", "prod_orders", "COUNT"),
        ("reordered", "prod_reorders", "SUM"),
        ("is_first_purchase", "prod_first_orders", "SUM"),
        ("is_second_purchase", "prod_second_orders", "SUM"),
    ]
    acts = [tick("product_id", "Columns")]
    for at, (column, target, function) in enumerate(figures, 1):
        if at > 1:
            acts.append(lambda form: form.get_by_role("button", name="One more").click())
        acts += [
            choose(f"Of column, {at}", column),
            write(f"Named, {at}", target),
            choose(f"As, {at}", "number"),
            choose(f"Function, {at}", function),
        ]
    add(page, "GROUP_BY", *acts, choose("Keep the groups only (optional)", "true"))
    for _, column, _ in figures:
        change_type(page, column, "long")

    assert shown_json(page) == recipe(brew, name) == theirs("product_features")


def test_a_messy_file_is_cleaned_by_what_is_suggested(
    page: Page, console: str, brew: Any, localaws: str
) -> None:
    page.goto(f"{console}/#/prepare")
    page.get_by_label("File or folder in S3").fill(f"s3://{BUCKET}/messy.csv", timeout=SLOW)
    page.get_by_label("Role that DataBrew reads with").fill(ROLE)
    page.get_by_role("button", name="Begin").click()
    hints = page.get_by_role("region", name="Suggestions").get_by_role("listitem")
    expect(hints).to_have_count(7, timeout=SLOW)
    expect(hints.nth(2)).to_contain_text('17 % of Joined says nothing. "unknown"')

    for text, labels in (
        ("1 of 6 rows are there twice", 1),
        ("20 % of Name has white space", 1),
        ("of Joined says nothing", 1),
        ("Joined is a date", 1),
        ("Price is numbers with signs ($,)", 2),
        ("of Age says nothing", 1),
        ("Age is a whole number", 1),
    ):
        before = steps(page).count()
        hints.filter(has_text=text).get_by_role("button").click()
        for made in range(1, labels + 1):
            expect(page.locator(".trial")).to_contain_text(re.compile("change|go|is"), timeout=SLOW)
            page.get_by_role("button", name="Apply").click()
            expect(steps(page).or_(page.locator("form.step-form"))).not_to_have_count(0)
            if made == labels:
                expect(steps(page)).to_have_count(before + labels, timeout=SLOW)

    page.get_by_role("tab", name="Finish").click()
    page.get_by_label("What is new").fill("Cleaned by hand")
    page.get_by_role("button", name="Publish messy-recipe").click()
    expect(page.get_by_text("Published as version 1.0.")).to_be_visible(timeout=SLOW)
    page.get_by_label("Into").fill(f"s3://{BUCKET}/clean/")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text(f"It lies in s3://{BUCKET}/clean/")).to_be_visible(timeout=SLOW)
    s3 = client("s3", localaws)
    (key,) = [
        each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET, Prefix="clean/")["Contents"]
    ]
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() == CLEAN
    assert violations(page) == []
    published = brew.describe_recipe(Name="messy-recipe", RecipeVersion="1.0")
    assert (published["Description"], len(published["Steps"])) == ("Cleaned by hand", 8)


def test_a_table_and_then_its_dataset_are_begun_with(
    page: Page, console: str, filled: str, brew: Any
) -> None:
    page.goto(f"{console}/#/prepare")
    page.get_by_role("button", name="A table").click(timeout=SLOW)
    page.get_by_label("Database").select_option("shop")
    page.get_by_role("combobox", name="Table").select_option("orders")
    page.get_by_role("button", name="Begin").click()
    sample = page.get_by_role("table", name="Sample")
    expect(sample.get_by_role("columnheader")).to_have_text(
        [re.compile(name) for name in ("Row", "order_id", "customer", "amount", "day")],
        timeout=SLOW,
    )
    assert brew.describe_dataset(Name="orders")["Input"] == {
        "DataCatalogInputDefinition": {"DatabaseName": "shop", "TableName": "orders"}
    }

    page.goto(f"{console}/#/prepare")
    page.get_by_role("button", name="A dataset").click(timeout=SLOW)
    page.get_by_role("combobox", name="Dataset").select_option("orders")
    page.get_by_label("Name of the project").fill("again")
    page.get_by_label("Which rows").select_option("random")
    page.get_by_role("button", name="Begin").click()
    expect(sample).to_be_visible(timeout=SLOW)
    project = brew.describe_project(Name="again")
    assert (project["DatasetName"], project["Sample"]["Type"]) == ("orders", "RANDOM")


def test_steps_are_undone_edited_moved_and_taken_out(
    page: Page, project: Callable[..., str], brew: Any
) -> None:
    name = project(
        "messy",
        step("UPPER_CASE", sourceColumn="Name"),
        step("RENAME", sourceColumn="Name", targetColumn="who"),
    )
    page.get_by_role("button", name="Move step 2 up").click()
    expect(page.get_by_role("alert")).to_contain_text("there is no column 'Name'", timeout=SLOW)
    expect(steps(page).nth(1)).to_have_class(re.compile("bad"))
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("alert")).to_have_count(0, timeout=SLOW)

    page.get_by_role("button", name=re.compile("^Edit step 1")).click()
    form = page.get_by_role("form", name="UPPER CASE")
    expect(page.get_by_text("6 cells of Name change")).to_be_visible(timeout=SLOW)
    form.get_by_label("Column", exact=True).select_option("Joined")
    form.get_by_role("button", name="Change the step").click()
    expect(steps(page).nth(0)).to_contain_text("Joined", timeout=SLOW)
    page.get_by_role("button", name="Remove step 2").click()
    expect(steps(page)).to_have_count(1, timeout=SLOW)
    page.get_by_role("button", name="Undo").click()
    expect(steps(page)).to_have_count(2, timeout=SLOW)
    page.get_by_role("button", name="Redo").click()
    expect(steps(page)).to_have_count(1, timeout=SLOW)
    expect(page.get_by_role("button", name="Redo")).to_be_disabled()

    assert recipe(brew, name) == [step("UPPER_CASE", sourceColumn="Joined")]
    page.reload()
    expect(steps(page)).to_have_count(1, timeout=SLOW)


def test_what_is_wrong_with_a_parameter_stands_at_its_field(
    page: Page, project: Callable[..., str], brew: Any
) -> None:
    name = project("messy")
    form = pick(page, "MOVE_TO_INDEX")
    choose("Column", "Age")(form)
    index = form.get_by_label("Target index")
    index.fill("first")
    form.get_by_role("button", name="Apply").click()
    expect(index).to_be_focused()
    expect(index).to_have_accessible_description("A whole number.")

    form.get_by_role("button", name="Cancel").click()
    form = pick(page, "EXTRACT_PATTERN")  # the service alone knows which patterns it has
    choose("Column", "Name")(form)
    write("New column", "initial")(form)
    pattern = form.get_by_label("Pattern")
    pattern.fill("(?<=A)nn")
    expect(pattern).to_have_attribute("aria-invalid", "true", timeout=SLOW)
    expect(pattern).to_have_accessible_description(re.compile("look-around|lookbehind|uses"))
    form.get_by_role("button", name="Apply").click()
    expect(form).to_be_visible()
    assert recipe(brew, name) == []
    pattern.fill("^[A-Z]")
    expect(page.get_by_text("new: initial")).to_be_visible(timeout=SLOW)


def test_a_recipe_is_imported_as_the_guide_and_the_console_write_it(
    page: Page, project: Callable[..., str], brew: Any
) -> None:
    name = project("messy")
    page.get_by_role("tab", name="JSON").click()
    assert violations(page) == []
    text = page.get_by_label("Recipe as JSON")
    text.fill('[{"Action": {}}]')
    page.get_by_role("button", name="Take this as the recipe").click()
    expect(page.get_by_role("alert")).to_have_text("Step 1 has no Action with an Operation.")
    text.fill(
        '{"Steps": [{"RecipeAction": {"Operation": "DELETE",'
        ' "Parameters": {"sourceColumns": ["Age", "Price"]}}}]}'
    )
    page.get_by_role("button", name="Take this as the recipe").click()
    sample = page.get_by_role("table", name="Sample")
    expect(sample.get_by_role("columnheader")).to_have_count(3, timeout=SLOW)

    assert recipe(brew, name) == [step("DELETE", sourceColumns='["Age","Price"]')]


def test_ten_thousand_rows_and_many_columns_are_drawn_as_far_as_they_are_seen(
    page: Page, project: Callable[..., str]
) -> None:
    project(
        "long",
        step("UNPIVOT", sourceColumns='["a","b"]', unpivotColumn="name", valueColumn="value"),
        size=5_000,
    )
    sample = page.get_by_role("table", name="Sample")
    expect(sample).to_have_attribute("aria-rowcount", "10001")
    assert sample.get_by_role("row").count() < 80
    page.get_by_role("region", name="Sample").focus()
    page.keyboard.press("End")
    expect(sample.get_by_role("rowheader", name="10000")).to_be_visible(timeout=SLOW)
    assert sample.get_by_role("row").count() < 80

    project("wide")  # more than a view frame of 20 columns
    expect(page.get_by_role("columnheader", name=re.compile("c29"))).to_have_count(1, timeout=SLOW)


def test_anybody_can_use_it(page: Page, project: Callable[..., str], console: str) -> None:
    project("messy")
    page.get_by_role("button", name="Age", exact=True).click()
    expect(page.get_by_role("region", name="Column Age")).to_be_visible()
    page.get_by_role("button", name="2 invalid in Age: show these rows only").click()
    expect(page.get_by_text("Only rows where Age is invalid.")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="All actions…").click()
    refused = page.get_by_role("button", name=re.compile("^Decrypt Not here: keys of KMS"))
    expect(refused).to_have_attribute("aria-disabled", "true")
    assert violations(page) == []
    page.get_by_label("Search actions").fill("duplicate rows")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 row goes")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Show all rows").click()
    page.get_by_role("button", name="Only these rows").click()
    rows = page.get_by_role("table", name="Sample after the step").get_by_role("rowheader")
    expect(rows).to_have_text(["removed row 3"])
    assert violations(page) == []
    page.goto(f"{console}/#/prepare")
    expect(page.get_by_role("heading", name="Go on with")).to_be_visible(timeout=SLOW)
    assert violations(page) == []


def test_the_page_knows_the_actions_that_the_local_databrew_knows() -> None:
    from localaws.databrew.recipe.evidence import REFUSED
    from localaws.databrew.recipe.steps import actions

    ours = {
        each["operation"]: each for each in json.loads((STATIC / "recipeactions.json").read_text())
    }
    known = {name: rule for name, rule in actions().items() if name in ours}

    assert len(ours) == len({id(rule) for rule in actions().values()}) == 217
    assert all(each["title"] and each["description"].endswith(".") for each in ours.values())
    assert {name: each["local"] for name, each in ours.items() if "local" in each} == REFUSED
    for name, rule in known.items():
        assert ours[name]["conditional"] == rule["conditional"], name
        parameters = {each["name"]: each for each in ours[name]["parameters"]}
        assert parameters.keys() == rule["parameters"].keys(), name
        for parameter, wanted in rule["parameters"].items():
            found = {key: parameters[parameter].get(key) for key in wanted}
            assert found == wanted, f"{name}.{parameter}"


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [("a,b;c,d", ","), ("a;b", ";"), ("a\tb\tc,d", "\t"), ("a|b", "|"), ("alone", ",")],
)
def test_the_delimiter_of_a_header(line: str, delimiter: str) -> None:
    assert delimiter_of(line) == delimiter


def test_a_recipe_is_saved_beside_a_checkout_only(tmp_path: Path, localaws: str) -> None:
    folder = tmp_path / "databrew_recipes"
    prepare = PreparePage(lambda service: client(service, localaws), folder)
    text = json.dumps(theirs("clean_orders"))

    assert prepare.overview()["keep"] is None  # then the page does not offer it
    with pytest.raises(Refused, match="There is no folder"):
        prepare.keep({"name": "clean-orders", "text": text})
    folder.mkdir()
    assert prepare.overview()["keep"] == str(folder)
    prepare.keep({"name": "clean-orders", "text": text})
    assert (folder / "clean_orders.json").read_text() == (RECIPES / "clean_orders.json").read_text()
    with pytest.raises(Refused, match="no name of a file"):
        prepare.keep({"name": "../outside", "text": text})
