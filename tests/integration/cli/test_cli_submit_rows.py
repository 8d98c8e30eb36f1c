"""`renderline submit --template --rows`: one request for each row; all are checked before the first is sent."""

import pytest

from harness.command_result import CommandResult

AVATAR = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}
TEMPLATE = {
    "kind": "project",
    "name": "Welcome {{name}}",
    "scenes": [{"script": "Hello {{name}} from {{city}}.", "avatar": AVATAR}],
    "metadata": {"order": "{{order}}"},
}
PEOPLE = "name,city,order\nAnn,Oslo,A1\nBo,Rome,A2\n"


@pytest.fixture
def submit(run, request_file, tmp_path):
    def submit(rows=PEOPLE, *options, template=TEMPLATE, name="people.csv"):
        files = ("--template", request_file(template, "body.json"), "--rows", request_file(rows, name))
        ended = run("submit", *files, *options)
        # Files are named as they were given; the folder is of no interest here.
        return CommandResult(ended.code, *(text.replace(f"{tmp_path}/", "") for text in (ended.out, ended.err)))

    return submit


def test_each_row_is_a_render(submit):
    ended = submit(PEOPLE, "--key-from", "order", "--json")
    assert (ended.code, ended.err) == (0, "")
    assert [one["name"] for one in ended.value] == ["Welcome Ann", "Welcome Bo"]
    assert [one["metadata"] for one in ended.value] == [{"order": "A1"}, {"order": "A2"}]
    again = submit(PEOPLE, "--key-from", "metadata.order", "--json")
    assert [one["id"] for one in again.value] == [one["id"] for one in ended.value]


def test_rows_without_keys_are_told(submit):
    ended = submit()
    assert ended.code == 0
    assert (
        "the rows have no keys: sent again, they render again; --key-from COLUMN or --results FILE prevents that"
        in ended.err
    )


def test_json_lines_fill_it_too(submit):
    ended = submit('{"name": "Ann", "city": "Oslo", "order": "A1"}', "--json", "--key-from", "order", name="p.jsonl")
    assert [one["name"] for one in ended.value] == ["Welcome Ann"]


def test_a_wrong_value_is_named_by_file_row_and_column_and_nothing_is_sent(submit, run):
    long = "x" * 300
    ended = submit(f"name,city,order\nAnn,Oslo,A1\n{long},Rome,A2\n", "--key-from", "order")
    assert ended.code == 2
    assert ended.err == "renderline: people.csv row 3 column name: name: must be at most 200 characters\n"
    assert run("list", "--json").value["renders"] == []


def test_a_missing_column_is_named_once_with_its_place(submit):
    ended = submit("name,town,order\nAnn,Oslo,A1\nBo,Rome,A2\n")
    assert ended.code == 2
    assert ended.err.splitlines() == [
        "renderline: people.csv row 2 column city: is missing; body.json needs it at scenes.0.script; "
        "there are: name, town, order"
    ]


def test_a_column_that_fills_nothing_is_told(submit):
    ended = submit("name,city,order,age\nAnn,Oslo,A1,7\n", "--key-from", "order")
    assert ended.code == 0
    assert "column age is not used by body.json" in ended.err


def test_a_template_without_placeholders_would_render_the_same_for_each_row(submit):
    ended = submit(template={**TEMPLATE, "name": "A", "metadata": {}, "scenes": [{"script": "Hi.", "avatar": AVATAR}]})
    assert ended.code == 2
    assert "has no placeholder such as {{name}}" in ended.err


def test_two_rows_of_one_key_are_one_render_and_never_two_different_ones(submit, run):
    same = submit("name,city,order\nAnn,Oslo,A1\nAnn,Oslo,A1\n", "--key-from", "order", "--json")
    assert len(same.value) == 1
    other = submit("name,city,order\nBo,Rome,B1\nBob,Rome,B1\n", "--key-from", "order")
    assert other.code == 2
    assert "people.csv row 3" in other.err
    assert len(run("list", "--json").value["renders"]) == 1


def test_a_dry_run_checks_everything_and_sends_nothing(submit, run):
    ended = submit(PEOPLE, "--dry-run")
    assert (ended.code, ended.out.strip()) == (0, "2 requests are right; nothing was sent")
    shown = submit(PEOPLE, "--dry-run", "--json", "--key-from", "order").value
    assert [(one["place"], one["kind"], one["key"]) for one in shown] == [
        ("people.csv row 2", "project", "A1"),
        ("people.csv row 3", "project", "A2"),
    ]
    assert run("list", "--json").value["renders"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--template", "x"), "--template and --rows belong together"),
        ((), "give FILE..., or --template and --rows"),
    ],
)
def test_wrong_options(run, request_file, options, said):
    options = [request_file(TEMPLATE) if one == "x" else one for one in options]
    ended = run("submit", *options)
    assert ended.code == 2
    assert said in ended.err


def test_a_dry_run_names_the_row_whose_key_another_request_has(submit):
    ended = submit("name,city,order\nBo,Rome,B1\nBo,Rome,B1\nBob,Rome,B1\n", "--key-from", "order", "--dry-run")
    assert ended.code == 2
    assert ended.err.splitlines() == [
        "renderline: people.csv row 4: key 'B1' is that of people.csv row 2, which is another request"
    ]


def test_the_column_of_the_keys_is_used(submit):
    ended = submit("name,city,order,id\nAnn,Oslo,A1,7\n", "--key-from", "id", "--dry-run")
    assert (ended.code, ended.err) == (0, "")


def test_keys_from_a_column_that_is_not_there_are_refused_with_those_that_are(submit):
    ended = submit(PEOPLE, "--key-from", "ordr")
    assert ended.code == 2
    assert ended.err.splitlines() == [
        "renderline: people.csv row 2: --key-from ordr: no such field of the request, nor a column; "
        "columns: name, city, order"
    ]


def test_another_delimiter_is_told(submit):
    ended = submit("name|city\nAnn|Oslo\n")
    assert ended.code == 2
    assert ended.err.splitlines() == [
        "renderline: people.csv row 1: has one column, 'name|city'; separate columns by commas, semicolons or tabs"
    ]


def test_a_template_without_rows_is_not_sent_as_it_is(run, request_file):
    ended = run("submit", request_file(TEMPLATE, "body.json"))
    assert ended.code == 2
    assert "scenes.0.script: has the placeholder {{name}}; fill it with --template and --rows" in ended.err
    assert run("list", "--json").value["renders"] == []
