"""Every document the connector sends is one that the published schema accepts."""

# ruff: noqa: E501 - payloads read better on one line

from __future__ import annotations

import gzip
from importlib import resources
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from connectors.shopify.fake.server import schema
from connectors.shopify.graphql import document

PUBLISHED = Path(__file__).resolve().parents[3] / ".." / "shared" / "specs" / "shopify" / "admin_2026-10.graphql.gz"
FOLDER = resources.files("connectors.shopify") / "queries"
TEXTS = {Path(each.name).stem: each.read_text("utf-8") for each in FOLDER.iterdir() if each.name.endswith(".graphql")}
OPERATIONS = sorted(
    name
    for name, text in TEXTS.items()
    if any(line.startswith(("query", "mutation", "{")) for line in text.splitlines())
)


@pytest.fixture(scope="module")
def published() -> GraphQLSchema:
    if not PUBLISHED.exists():
        pytest.skip("the published schema is not here")
    return build_schema(gzip.decompress(PUBLISHED.read_bytes()).decode(), assume_valid=True)


@pytest.mark.parametrize("name", OPERATIONS)
def test_documents_are_accepted_by_the_schema_of_the_fake(name: str) -> None:
    """The fake's schema, written from the published one, validates each document."""
    assert validate(schema(), parse(document(name))) == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_documents_are_accepted_by_the_published_schema(name: str, published: GraphQLSchema) -> None:
    """The vendor's own schema of the version in use validates each document."""
    assert validate(published, parse(document(name))) == []


def test_every_fragment_file_is_used() -> None:
    """No file of the folder is dead weight: each is an operation or included by one."""
    reached = {
        line.removeprefix("# include ") for text in TEXTS.values() for line in text.splitlines() if "# include" in line
    }
    assert set(TEXTS) == set(OPERATIONS) | reached


def test_the_fake_says_nothing_the_published_schema_does_not(published: GraphQLSchema) -> None:
    """Each field of the fake's schema has the published type and arguments; codes listed there as enums are scalars here."""
    wrong = []
    for name, kind in schema().type_map.items():
        real = published.type_map.get(name)
        if name.startswith("__") or name in ("CountryCode", "CurrencyCode"):
            continue
        if real is None:
            wrong.append(name)
            continue
        for field, definition in getattr(kind, "fields", {}).items():
            known = real.fields.get(field)  # type: ignore[attr-defined]
            if known is None or str(known.type) != str(definition.type):
                wrong.append(f"{name}.{field}")
            elif any(argument not in known.args for argument in getattr(definition, "args", {})):
                wrong.append(f"{name}.{field}(…)")
        wrong += [f"{name}.{value}" for value in getattr(kind, "values", {}) if value not in real.values]  # type: ignore[attr-defined]
    assert wrong == []
