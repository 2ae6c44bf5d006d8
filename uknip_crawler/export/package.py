"""A frozen dataset: CSV files with a Data Package descriptor, a README that tells the method, and a citation.

The descriptor follows https://specs.frictionlessdata.io/tabular-data-package/.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from uknip_crawler import __version__
from uknip_crawler.export.dataset import CRATE, Dataset, crate
from uknip_crawler.export.facts import Facts, facts
from uknip_crawler.export.files import HashedFile, refuse_other_files, whole_folder
from uknip_crawler.export.formats import write_csv
from uknip_crawler.export.recipe import Recipe
from uknip_crawler.export.snapshot import Snapshot, Watch
from uknip_crawler.export.tables import TABLES, Field

DESCRIPTOR = "datapackage.json"
_TEXTS = ("README.md", "CITATION.cff")
_MOMENT = r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?"
_SHAPES = {"list": " A list, joined with `; `.", "images": " A list, joined with `; `.", "json": " As JSON."}
RIGHTS = (
    "Texts are the publisher's copyright and images their makers'; no licence to pass them on comes with this dataset. "
    "In the United Kingdom copies may be analysed for non-commercial research where access is lawful (CDPA 1988, "
    "section 29A), but not passed on. Stories are about people: data protection law applies."
)
_RIGHTS_WITHOUT_TEXT = (
    "No text of the publisher is in this dataset, so that it can be passed on; addresses hold words of headlines, and "
    "authors are people, so data protection law applies. Whoever publishes it chooses its licence."
)


@dataclass(frozen=True, slots=True)
class Package:
    """What was written."""

    id: str
    rows: dict[str, int]
    size_bytes: int


def write(moment: Snapshot, recipe: Recipe, folder: Path, watch: Watch, dataset: Dataset) -> Package:
    """Write a package; an older one at the same place is replaced when the new one is whole.

    Raises UsageError when the folder holds anything else, OSError when it cannot be written.
    """
    refuse_other_files(
        folder, DESCRIPTOR, {CRATE, *_TEXTS, *map(file_name, TABLES)}.__contains__, "a data package"
    )
    known = facts(moment, recipe.selection)
    with whole_folder(folder) as part:
        resources = [_write_table(moment, recipe, table, part, watch) for table in recipe.tables]
        descriptor = _descriptor(recipe, known, resources, dataset)
        write_text(part / DESCRIPTOR, json.dumps(descriptor, indent=2, ensure_ascii=False))
        for name, text in _texts(known, recipe, descriptor, dataset):
            write_text(part / name, text)
        if (described := crate(dataset, descriptor, (DESCRIPTOR, *_TEXTS))) is not None:
            write_text(part / CRATE, described)
        size = sum(path.stat().st_size for path in part.iterdir())
    return Package(descriptor["id"], {resource["name"]: resource["rows"] for resource in resources}, size)


def identity(resources: Iterable[dict[str, Any]]) -> str:
    """Return the id of a package: the SHA-256 of what `sha256sum` prints for its data files, in their order."""
    lines = (f"{resource['hash'].removeprefix('sha256:')}  {resource['path']}\n" for resource in resources)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def file_name(table: str) -> str:
    return f"{table}.csv"


def _write_table(moment: Snapshot, recipe: Recipe, table: str, folder: Path, watch: Watch) -> dict[str, Any]:
    path = folder / file_name(table)
    fields = recipe.chosen(table)
    total, rows = moment.rows(recipe, table, "csv")
    with HashedFile(path) as output, contextlib.closing(rows):
        write_csv(watch(rows, total), fields, output, recipe.raw)
        output.sync()
        digest = output.sha256()
    return {
        "name": table,
        "title": TABLES[table].title,
        "description": TABLES[table].meaning,
        "profile": "tabular-data-resource",
        "path": path.name,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{digest}",
        "rows": total,
        "schema": _schema(recipe, table, fields),
    }


def _schema(recipe: Recipe, table: str, fields: tuple[Field, ...]) -> dict[str, Any]:
    names = [field.name for field in fields]
    schema: dict[str, Any] = {"fields": [_described(field) for field in fields], "missingValues": [""]}
    key = TABLES[table].key
    if key and {*key} <= {*names}:
        schema["primaryKey"] = list(key)
    if "article_url" in names and "articles" in recipe.tables:
        reference = {"resource": "articles", "fields": ["url"]}
        schema["foreignKeys"] = [{"fields": ["article_url"], "reference": reference}]
    return schema


def _described(field: Field) -> dict[str, Any]:
    described: dict[str, Any] = {"name": field.name, "type": "string", "description": field.meaning}
    if field.type in ("integer", "instant"):
        described["type"] = "integer" if field.type == "integer" else "datetime"
    elif field.type == "moment":
        described["constraints"] = {"pattern": _MOMENT}
    described["description"] += _SHAPES.get(field.type, "")
    unit = "byte" if field.name.endswith("_bytes") else "pixel" if field.name in ("width", "height") else None
    return described | ({"unit": unit} if unit else {})


def _descriptor(
    recipe: Recipe, known: Facts, resources: list[dict[str, Any]], dataset: Dataset
) -> dict[str, Any]:
    kinds = ", ".join(f"{resource['rows']:,} {TABLES[resource['name']].rows}" for resource in resources)
    licence = {"name": "other-closed", "title": "Publisher's copyright; no licence is granted"}
    if recipe.without_text:
        licence = {
            "name": dataset.spdx or "other-closed",
            "title": dataset.licence or "No licence chosen yet",
        }
    return {
        "profile": "tabular-data-package",
        "name": "uknip-" + (re.sub(r"[^a-z0-9]+", "-", known.site.lower()).strip("-") or "site"),
        "id": identity(resources),
        "title": dataset.title
        or f"Archive of {known.site}" + (", without text" if recipe.without_text else ""),
        "description": f"Stories of the news site {known.site} as archived by uknip: {kinds}.",
        "version": known.as_of,
        "licenses": [licence],
        **dataset.keeper(),
        "sources": [{"title": known.site, "path": known.base_url}] if known.base_url else [],
        "rights": rights(recipe),
        "uknip": {"version": __version__, **recipe.as_json()},
        "resources": resources,
    }


def rights(recipe: Recipe) -> str:
    """Return whose the words of an export are, and what follows from that."""
    return _RIGHTS_WITHOUT_TEXT if recipe.without_text else RIGHTS


def _texts(
    known: Facts, recipe: Recipe, descriptor: dict[str, Any], dataset: Dataset
) -> Iterator[tuple[str, str]]:
    for name in _TEXTS:
        yield (
            name,
            rendered(
                name,
                facts=known,
                keeper=dataset.author or f"The keeper of this archive of {known.site}",
                dataset=dataset,
                filters=recipe.as_json()["filters"],
                without_text=recipe.without_text,
                raw=recipe.raw,
                version=__version__,
                **{key: descriptor[key] for key in ("title", "description", "id", "resources", "rights")},
            ),
        )


def rendered(name: str, **values: Any) -> str:
    """Return one of the texts that stand beside data, filled in: Markdown and YAML, not HTML."""
    templates = Environment(
        loader=PackageLoader("uknip_crawler.export"), undefined=StrictUndefined, autoescape=False
    )
    return templates.get_template(name).render(values)


def write_text(path: Path, text: str) -> None:
    with HashedFile(path) as output:
        output.write(text.rstrip("\n").encode() + b"\n")
        output.sync()
