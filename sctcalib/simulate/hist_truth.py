"""What is true of a simulated HIST file: its truth.json (described in docs/hist-files.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sctcalib.detector.identifiers import IntArray, module_names
from sctcalib.detector.regions import N_WAFERS
from sctcalib.histograms.monitoring import LorentzKey
from sctcalib.histograms.monitoring_names import lorentz_paths
from sctcalib.job.errors import InputFileError
from sctcalib.parts.bytestream_errors import ERROR_NAMES, N_POSITIONS
from sctcalib.simulate.hist_model import Detector, LorentzTruth, Monitoring
from sctcalib.simulate.hist_settings import HistSettings

KIND = "hist"
FORMAT = 1
"""History: 1 first version."""
_ARRAYS = ("efficiency", "noise", "hits")


@dataclass(frozen=True)
class HistTruth:
    """A simulated run, and what its histograms must say but for statistics."""

    run: int
    style: str
    file: str
    n_events: int
    trigger_events: int
    detector: Detector
    crossings: IntArray
    """Accepted track crossings of each side, shape (8176,)."""
    errors: IntArray
    """Exact counts, shape (8176, 15)."""
    clusters: Mapping[LorentzKey, int]
    """Entries of each profile of cluster widths."""
    origin: Mapping[str, Any]
    """Project, stream, seed and what else was asked for; for the record."""

    def write(self, path: Path) -> None:
        """Write the file; lists of objects have one object on a line."""
        fields = (f'  "{name}": {_layout(value)}' for name, value in self._json().items())
        path.write_text("{\n" + ",\n".join(fields) + "\n}\n", encoding="ascii")

    def _json(self) -> dict[str, Any]:
        detector = self.detector
        return {
            "kind": KIND,
            "format": FORMAT,
            "run": self.run,
            "style": self.style,
            "file": self.file,
            "events": self.n_events,
            "trigger_events": self.trigger_events,
            **self.origin,
            "errors": list(_error_rows(self.errors)),
            "lorentz": [
                dict(zip(("layer", "side", "sensor"), key, strict=True))
                | asdict(curve)
                | {"clusters": self.clusters[key]}
                for key, curve in detector.lorentz.items()
            ],
            "disabled": [module_names()[m] for m in np.flatnonzero(~detector.enabled[::2])],
            "crossings": self.crossings.tolist(),
            **{name: getattr(detector, name).tolist() for name in _ARRAYS},
        }


def truth_of(settings: HistSettings, detector: Detector, counted: Monitoring) -> HistTruth:
    """The truth of a simulation."""
    return HistTruth(
        run=settings.run,
        style=settings.style,
        file=settings.file_name,
        n_events=settings.n_events,
        trigger_events=counted.trigger_events,
        detector=detector,
        crossings=counted.crossings,
        errors=counted.errors,
        clusters={key: int(n.sum()) for key, (n, _, _) in counted.widths.items()},
        origin={
            "project": settings.project,
            "stream": settings.stream,
            "seed": settings.seed,
            "empty": settings.is_empty,
            "noisy_layers": [str(place) for place in settings.noisy_layers],
        },
    )


def is_hist_truth(path: Path) -> bool:
    """Whether a file is the truth of a HIST file; False also where it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("kind") == KIND


def read_hist_truth(path: Path) -> HistTruth:
    """Read a truth.json; raises InputFileError if it is not that of a HIST file."""
    try:
        return _truth(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputFileError(msg) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        msg = f"{path}: is not the truth of a simulated HIST file: {reason}"
        raise InputFileError(msg) from error


def _truth(content: dict[str, Any]) -> HistTruth:
    found = content["kind"], content["format"]
    if found != (KIND, FORMAT):
        msg = f"kind and format are {found}, expected {(KIND, FORMAT)}"
        raise ValueError(msg)
    rows = {(row["layer"], row["side"], row["sensor"]): row for row in content["lorentz"]}
    if list(rows) != list(lorentz_paths()):
        msg = "lorentz must have the 16 combinations of layer, side and sensor in their order"
        raise ValueError(msg)
    curves = {
        key: LorentzTruth(*(float(row[name]) for name in ("a", "angle", "b", "sigma")))
        for key, row in rows.items()
    }
    efficiency, noise, hits = (_per_wafer(content, name).astype(np.float64) for name in _ARRAYS)
    dead = np.isin(module_names(), content["disabled"])
    return HistTruth(
        run=int(content["run"]),
        style=str(content["style"]),
        file=str(content["file"]),
        n_events=int(content["events"]),
        trigger_events=int(content["trigger_events"]),
        detector=Detector(~np.repeat(dead, 2), efficiency, noise, hits, curves),
        crossings=_per_wafer(content, "crossings").astype(np.int64),
        errors=_errors(content["errors"]),
        clusters={key: int(row["clusters"]) for key, row in rows.items()},
        origin={name: content[name] for name in ("project", "stream", "seed")},
    )


def _per_wafer(content: dict[str, Any], name: str) -> np.ndarray[Any, Any]:
    values = np.array(content[name])
    if values.shape != (N_WAFERS,) or not np.all((values >= 0) & np.isfinite(values)):
        msg = f"{name} must be {N_WAFERS} numbers from 0 on"
        raise ValueError(msg)
    return values


def _error_rows(errors: IntArray) -> Iterator[dict[str, Any]]:
    for wafer in np.flatnonzero(errors.any(axis=1)).tolist():
        counts = {name: int(errors[wafer, p]) for p, name in ERROR_NAMES.items()}
        yield {
            "module": module_names()[wafer // 2],
            "side": wafer % 2,
            "wafer": wafer,
            **{name: n for name, n in counts.items() if n},
        }


def _errors(rows: list[dict[str, Any]]) -> IntArray:
    errors = np.zeros((N_WAFERS, N_POSITIONS), dtype=np.int64)
    for row in rows:
        if not 0 <= row["wafer"] < N_WAFERS:
            msg = f"errors has wafer {row['wafer']}, which does not exist"
            raise ValueError(msg)
        for position, name in ERROR_NAMES.items():
            errors[row["wafer"], position] = row.get(name, 0)
    return errors


def _layout(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {json.dumps(row)}" for row in value) + "\n  ]"
    return json.dumps(value)
