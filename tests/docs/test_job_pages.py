"""The pages on the job say what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sctcalib.job.arguments import FORMS
from sctcalib.job.errors import EXIT_CODES, exit_code
from sctcalib.parts import PARTS
from sctcalib.transform import argument_schema

ROOT = Path(__file__).resolve().parents[2]
FORM_WORDS = {
    "boolean": "true or false",
    "integer": "integer",
    "text": "text",
    "scalar": "text or integer",
    "textList": "list of texts",
    "inputs": "list of files",
}


def rows(page):
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if "|" in line
    ]


def test_exit_codes_page_lists_every_code():
    listed = [row[:3] for row in rows("exit-codes.md") if row[0].isdigit()]
    assert listed == [[str(e.code), e.acronym, e.meaning] for e in EXIT_CODES]


def test_signals_have_the_code_and_acronym_of_their_number():
    assert exit_code(143).acronym == "TRF_SIG_SIGTERM"
    assert exit_code(200).acronym == "TRF_UNKNOWN"


def test_dictionary_page_lists_every_key_with_form_default_and_meaning():
    page = {row[0]: row[1:] for row in rows("job-dictionary.md")}
    for name, prop in argument_schema().active():
        key = " or ".join(f"`{n}`" for n in (name, *prop.get("x-aliases", [])))
        default = f"`{json.dumps(prop['default'])}`" if "default" in prop else ""
        assert page[key] == [FORM_WORDS[prop["x-form"]], default, prop["description"]]


def test_dictionary_page_names_what_is_ignored():
    text = (ROOT / "docs" / "job-dictionary.md").read_text(encoding="utf-8")
    ignored = [n for n, p in argument_schema().properties.items() if "x-ignored" in p]
    assert ignored
    assert [name for name in ignored if f"`{name}`" not in text] == []


def test_every_form_of_the_schema_has_a_converter_and_every_default_its_form():
    for _, prop in argument_schema().active():
        convert, _ = FORMS[prop["x-form"]]
        if "default" in prop:
            assert convert(prop["default"]) == prop["default"]


def test_schema_is_valid_and_its_parts_are_those_of_the_table():
    from jsonschema import Draft202012Validator

    schema = argument_schema().schema
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["part"]["anyOf"][0]["items"]["enum"] == list(PARTS)


@pytest.mark.parametrize("name", PARTS)
def test_part_is_in_the_readme_and_has_an_example_that_the_schema_takes(name):
    assert f"`{name}`" in (ROOT / "README.md").read_text(encoding="utf-8") or (
        f'"{name}"' in (ROOT / "README.md").read_text(encoding="utf-8")
    )
    examples = [
        json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "run").glob("*.json")
    ]
    mine = [example for example in examples if example["part"] == [name]]
    assert mine
    for example in mine:
        assert argument_schema().arguments(example, "example")["part"] == [name]


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
