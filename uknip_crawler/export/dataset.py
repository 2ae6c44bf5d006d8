"""What a keeper says of the dataset once, in uknip.toml, for every package: whose it is, under which licence, where to ask."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uknip_crawler.errors import UsageError

CRATE = "ro-crate-metadata.json"

_SPDX = re.compile(r"[A-Za-z0-9.+-]+")


@dataclass(frozen=True, slots=True)
class Dataset:
    """Empty is not said. `licence` is an SPDX name (https://spdx.org/licenses/) or words, `doi` without its resolver."""

    author: str = ""
    title: str = ""
    licence: str = ""
    doi: str = ""
    contact: str = ""

    @property
    def spdx(self) -> str:
        """Return the licence where it is a name that programs know, else nothing."""
        return self.licence if _SPDX.fullmatch(self.licence) else ""

    def keeper(self) -> dict[str, Any]:
        """Return whose it is in the words of a data package's descriptor."""
        said: dict[str, Any] = {"doi": self.doi} if self.doi else {}
        if self.author:
            author = {"title": self.author, "role": "author"}
            said["contributors"] = [author | ({"email": self.contact} if self.contact else {})]
        return said


def dataset_of(told: Mapping[str, str] | None) -> Dataset:
    """Return what uknip.toml's table `dataset` says. Raises UsageError for what is no DOI."""
    dataset = Dataset(**told or {})
    if dataset.doi and not re.fullmatch(r"10\.\d{4,9}/\S+", dataset.doi):
        raise UsageError(f"dataset.doi = {dataset.doi!r}: write it like 10.5281/zenodo.1234")
    return dataset


def crate(dataset: Dataset, descriptor: Mapping[str, Any], texts: Sequence[str]) -> str | None:
    """Return the package as an RO-Crate (https://w3id.org/ro/crate), None where the extra `crate` is not installed."""
    try:
        from rocrate.model import Person
        from rocrate.rocrate import ROCrate
    except ImportError:
        return None
    made = ROCrate()
    made.name, made.description = descriptor["title"], descriptor["description"]
    made.datePublished = descriptor["version"] or None
    made.license = dataset.licence or descriptor["rights"]
    about = {"identifier": f"sha256:{descriptor['id']}", "version": descriptor["version"]}
    if dataset.doi:
        about |= {"identifier": f"https://doi.org/{dataset.doi}", "sha256": descriptor["id"]}
    for name, value in about.items():
        made.root_dataset[name] = value
    if dataset.author:
        known = {"name": dataset.author} | ({"email": dataset.contact} if dataset.contact else {})
        made.root_dataset["author"] = made.add(Person(made, "#author", properties=known))
    for resource in descriptor["resources"]:
        made.add_file(
            dest_path=resource["path"],
            properties={
                "name": resource["title"],
                "description": resource["description"],
                "encodingFormat": resource["mediatype"],
                "contentSize": str(resource["bytes"]),
                "sha256": resource["hash"].removeprefix("sha256:"),
            },
        )
    for text in texts:
        made.add_file(dest_path=text, properties={"name": text})
    return json.dumps(made.metadata.generate(), indent=2, ensure_ascii=False)
