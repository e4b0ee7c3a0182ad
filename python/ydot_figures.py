#!/usr/bin/env python3
"""Draws the figures of Ydot from the files of a run.

    ydot_figures.py results/ --what raster,learning -o figure.png
    ydot_figures.py results/spikes.h5 --what raster --window 0 500 -o raster.svg
    ydot_figures.py --all results/                  raster.png, rates.png, potentials.png, learning.png, fields.png, whichever apply
    ydot_figures.py --verification results/         the figures of verification.json, each into results/verification/
    ydot_figures.py --panels figures.json folder    the figures of a list {"figures": [{"name", "panels"}]}, each into folder/

Reads spikes.h5 and frame reports (SONATA), activity.h5, config.toml, intervals.csv, learning.csv, weights.h5 and verification.json. Exit code 2 and one line on stderr when the
input is bad or there is nothing to draw.
"""
import argparse
import collections
import csv
import dataclasses
import functools
import gzip
import itertools
import json
import math
import os
import pathlib
import re
import sys
import tomllib

import matplotlib

matplotlib.use("Agg")
import h5py
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

# Okabe & Ito 2008, without the yellow that paper swallows: safe for the colour-blind. Then greys for the ninth and on.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F"]
LINE_STYLES = ["-", "--", ":", "-."]  # of lines for which there is no colour left
EXCITATORY, INHIBITORY = ("#08306B", "#4393C9"), ("#7F1D0E", "#E4744A")  # ends of a scale for several populations of a kind
PHASE_TINTS = ["#EDEDED", "#DCE9F5", "#FCEBD3", "#DDF0E3", "#F5E1EC", "#F7F5D0"]
STYLE = {
    "font.family": "sans-serif", "font.sans-serif": ["Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"],
    "font.size": 8, "axes.labelsize": 8, "axes.titlesize": 9, "xtick.labelsize": 8, "ytick.labelsize": 8, "legend.fontsize": 8,
    "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 2.5, "ytick.major.size": 2.5,
    "xtick.minor.width": 0.5, "ytick.minor.width": 0.5, "xtick.minor.size": 1.5, "ytick.minor.size": 1.5,
    "axes.spines.top": False, "axes.spines.right": False, "lines.linewidth": 1.0, "legend.frameon": False,
    "figure.dpi": 180, "savefig.dpi": 180, "svg.hashsalt": "ydot", "axes.unicode_minus": True,
}
COLUMN_INCHES, PAGE_INCHES = 3.5, 7.0  # one and two columns of a journal
MAX_RASTER_INCHES = 5.0
MAX_UNITS_SHOWN = 200  # of one population in a raster
MAX_WINDOW_MS = 2000   # a longer recording without presentations shows its last SHOWN_MS
SHOWN_MS = 1000
CIRCUIT_POPULATIONS = 4  # from here on a recording without presentations is drawn as a circuit: one dense raster, populations to scale
CIRCUIT_UNITS, CIRCUIT_LEAST = 2500, 25  # units in the raster of a circuit, and of one population
CIRCUIT_MS = 400
MAX_FIELDS = 64
MAX_TRACES = 8  # units of a report whose potentials are drawn
MAX_NUMBERED = 12  # units of a population that get their numbers in a raster


class FigureError(Exception):
    """What is wrong with the input, in one line."""


class NothingToDraw(FigureError):
    """The input is sound but does not hold what the figure shows."""


# ---- reading


@dataclasses.dataclass
class Spikes:
    """Spikes of one population: times_ms (float64) and ids (from 0), #spikes each; size units, recorded over duration_ms."""
    name: str
    times_ms: np.ndarray
    ids: np.ndarray
    size: int


@dataclasses.dataclass
class Frames:
    """A part of a SONATA frame report: times_ms (#frames), node_ids (#units), values (#frames x #units)."""
    population: str
    units: str
    times_ms: np.ndarray
    node_ids: np.ndarray
    values: np.ndarray


@dataclasses.dataclass
class Interval:
    start_ms: float
    stop_ms: float
    level: str
    name: str


@dataclasses.dataclass
class PopulationActivity:
    """Rate, CV and Fano factor, #units each (NaN where there is none); correlation, #pairs; bins_with[k]: bins with k spikes of the population.

    sample_bins_with is that of a sample of the units.
    """
    name: str
    rate_Hz: np.ndarray
    cv: np.ndarray
    fano: np.ndarray
    correlation: np.ndarray
    bins_with: np.ndarray
    sample_bins_with: np.ndarray


def synchrony(bins_with):
    """Variance over mean of the spikes in a bin; NaN without spikes."""
    k, number = np.arange(len(bins_with)), bins_with.astype(float)
    spikes = (k * number).sum()
    return ((k**2 * number).sum() - spikes**2 / number.sum()) / spikes if spikes else math.nan


@dataclasses.dataclass
class Activity:
    bin_ms: float
    sampled_units: int
    correlation_bin_ms: float
    least_intervals: int
    populations: list


@dataclasses.dataclass
class Projection:
    """Synapses of one projection: source, target, weight, #synapses each."""
    name: str
    source_population: str
    target_population: str
    sources: int
    targets: int
    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray


class Results:
    """The files of a run, read when first asked for: a results directory, or a single file of one."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        if not self.path.exists():
            raise FigureError(f"{path}: there is no such file or directory")

    @property
    def name(self):
        return self.path.resolve().stem if self.path.is_file() else self.path.resolve().name

    def file(self, name, required=True):
        """Path of a file of the run, or None when it is absent and not required."""
        if self.path.is_dir():
            candidate = self.path / name
        elif self.path.name == name or (self.path.suffix == pathlib.Path(name).suffix and self.path.suffix in (".h5", ".csv")):
            candidate = self.path
        else:
            candidate = self.path.parent / name
        if candidate.is_file() and (required or candidate != self.path or self.path.name == name):
            return candidate
        if required:
            raise NothingToDraw(f"{self.path}: there is no {name}")
        return None

    @functools.cached_property
    def config(self):
        path = self.file("config.toml", required=False)
        if path is None:
            return {}
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise FigureError(f"{path}: {error}") from None

    @functools.cached_property
    def spikes(self):
        """List of Spikes: the order of config.toml, then that of the file."""
        path = self.file("spikes.h5")
        with open_hdf5(path, "spikes") as file:
            found = {name: self._population(path, name, group) for name, group in file["spikes"].items()}
        order = [name for name in self.config.get("populations", {}) if name in found]
        return [found[name] for name in order + [name for name in found if name not in order]]

    def _population(self, path, name, group):
        try:
            times_ms, ids = group["timestamps"][()], group["node_ids"][()]
        except (KeyError, TypeError, AttributeError):
            raise FigureError(f"{path}: /spikes/{name} must hold timestamps and node_ids") from None
        if len(times_ms) != len(ids):
            raise FigureError(f"{path}: /spikes/{name} has {len(times_ms)} timestamps and {len(ids)} node_ids")
        ids = ids.astype(np.int64)
        size = self.config.get("populations", {}).get(name, {}).get("size", 1)
        return Spikes(name, times_ms.astype(float), ids, max(int(size), int(ids.max(initial=-1)) + 1))

    @functools.cached_property
    def start_ms(self):
        """Start of the recording: the end of the warm-up."""
        return 0.0 if self.intervals else float(self.config.get("run", {}).get("warmup_ms", 0))

    @functools.cached_property
    def duration_ms(self):
        """End of the recording: what the description says, or the last thing that happened."""
        last = max([p.times_ms.max(initial=0) for p in self.spikes] + [i.stop_ms for i in self.intervals] + [0])
        return float(last if self.intervals else max(last, self.start_ms + self.config.get("run", {}).get("duration_ms", 0)))

    @functools.cached_property
    def intervals(self):
        path = self.file("intervals.csv", required=False)
        if path is None:
            return []
        rows = read_table(path, ["start_ms", "stop_ms", "level", "name"])
        return [Interval(number(r, "start_ms", path), number(r, "stop_ms", path), r["level"], r["name"]) for r in rows]

    @functools.cached_property
    def learning(self):
        """Columns images, train_error_percent, validation_error_percent as float arrays; NaN where a cell is empty."""
        path = self.file("learning.csv")
        columns = ["images", "train_error_percent", "validation_error_percent"]
        rows = read_table(path, columns)
        return {c: np.array([number(r, c, path) for r in rows]) for c in columns}

    @functools.cached_property
    def activity(self):
        """Activity of a run without a schedule, else None."""
        path = self.file("activity.h5", required=False)
        if path is None:
            return None
        with open_hdf5(path, "activity") as file:
            try:
                populations = [PopulationActivity(name, *(group[key][()] for key in ("rate_Hz", "cv", "fano", "correlation", "bins_with", "sample_bins_with")))
                               for name, group in file["activity"].items()]
                return Activity(float(file.attrs["bin_ms"]), int(file.attrs["sampled_units"]), float(file.attrs["correlation_bin_ms"]), int(file.attrs["least_intervals"]),
                                populations)
            except (KeyError, TypeError, AttributeError) as error:
                raise FigureError(f"{path}: is not complete: {error}") from None

    def sign_of(self, population):
        """1 or -1: what its synapses do, by the description or by its name (ending in E, exc, I, inh); 0 when neither tells."""
        if signs := {weight_sign(p.get("weight")) for p in self.config.get("projections", {}).values() if p.get("from") == population} - {0}:
            return signs.pop() if len(signs) == 1 else 0
        kind = re.search(r"(?:[a-z0-9_ -](E|I)|(?:^|[0-9_ -])(?:([eEiI])|(Exc|exc|Inh|inh)[a-z]*))$", population)
        return 0 if kind is None else 1 if kind[kind.lastindex].lower().startswith("e") else -1

    def colours(self, names):
        """A colour for each population: blues for excitatory and reds for inhibitory ones where all signs are known and both are there."""
        signs = [self.sign_of(name) for name in names]
        if set(signs) != {1, -1}:
            return list(itertools.islice(itertools.cycle(COLOURS), len(names)))
        scales = {sign: iter(shades(ends, signs.count(sign))) for sign, ends in ((1, EXCITATORY), (-1, INHIBITORY))}
        return [next(scales[sign]) for sign in signs]

    @functools.cached_property
    def projections(self):
        path = self.file("weights.h5")
        with open_hdf5(path, "projections") as file:
            return [read_projection(path, name, group) for name, group in file["projections"].items()]


def report_span(path):
    """Start, stop and step of a frame report, in ms."""
    with open_hdf5(path, "report") as file:
        return frame_group(path, file)["mapping/time"][()]


def read_frames(path, start_ms, stop_ms, columns=None):
    """The frames of a report from start to stop; only the first columns."""
    with open_hdf5(path, "report") as file:
        group = frame_group(path, file)
        start, _, step = group["mapping/time"][()]
        rows = range(len(group["data"]))[max(0, math.ceil((start_ms - start) / step - 1e-9)):max(0, math.ceil((stop_ms - start) / step - 1e-9))]
        values = group["data"][rows.start:rows.stop, :columns]
        units = group["data"].attrs["units"]
        return Frames(group.name.rpartition("/")[2], units, start + step * np.arange(rows.start, rows.stop), group["mapping/node_ids"][:columns].astype(int), values)


def frame_group(path, file):
    """The only population of a report, with one column a unit."""
    for group in file["report"].values():
        try:
            if group["data"].ndim == 2 and group["data"].shape[1] == len(group["mapping/node_ids"]) and len(group["mapping/time"]) == 3 and group["data"].attrs["units"]:
                return group
        except (KeyError, AttributeError):
            pass
    raise FigureError(f"{path}: /report must hold a population with data (frames x units), mapping/node_ids and mapping/time")


def weight_sign(weight):
    """Of a weight in a description: a number, or a distribution with mean, or low and high."""
    ends = [weight.get(key) for key in ("mean", "low", "high")] if isinstance(weight, dict) else [weight]
    values = [v for v in ends if isinstance(v, (int, float)) and v]
    return 0 if not values or min(values) < 0 < max(values) else 1 if values[0] > 0 else -1


def shades(ends, count):
    """Colours from one end to the other; a single one in the middle."""
    low, high = (np.array(matplotlib.colors.to_rgb(c)) for c in ends)
    return [matplotlib.colors.to_hex(low + (high - low) * at) for at in (np.linspace(0, 1, count) if count > 1 else [0.5])]


def open_hdf5(path, group):
    try:
        file = h5py.File(path, "r", track_order=True)
    except OSError:
        raise FigureError(f"{path}: is not an HDF5 file") from None
    if group not in file:
        file.close()
        raise NothingToDraw(f"{path}: has no group /{group}")
    return file


def read_projection(path, name, group):
    try:
        return Projection(name, group.attrs["from"], group.attrs["to"], int(group.attrs["sources"]), int(group.attrs["targets"]),
                          group["source"][()], group["target"][()], group["weight"][()])
    except KeyError as error:
        raise FigureError(f"{path}: /projections/{name} is not complete: {error.args[0]}") from None


def read_table(path, columns):
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [c for c in columns if c not in (reader.fieldnames or [])]
        if missing:
            raise FigureError(f"{path}:1: there must be a column {missing[0]}")
        return list(reader)


def number(row, column, path):
    text = (row[column] or "").strip()
    try:
        return float(text) if text else math.nan
    except ValueError:
        raise FigureError(f"{path}: {column} must be a number, got '{text}'") from None


IDX_NAMES = [("train-images-idx3-ubyte", "train-labels-idx1-ubyte"), ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")]


def read_idx(path):
    """An IDX file of bytes, plain or .gz, as an array."""
    try:
        data = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
        if data[:3] != b"\0\0\x08":
            raise ValueError
        shape = tuple(np.frombuffer(data, ">u4", data[3], 4).astype(int))
        return np.frombuffer(data, np.uint8, math.prod(shape), 4 + 4 * data[3]).reshape(shape)
    except (OSError, EOFError, ValueError, IndexError):
        raise FigureError(f"{path}: is not an IDX file of bytes") from None


def read_images(path):
    """Images (n, rows, columns) and labels (n) or None, of an IDX directory or an IDX file of images."""
    if path.is_file():
        return read_idx(path), None
    for images, labels in IDX_NAMES:
        found = [next((p for p in (path / n, path / (n + ".gz")) if p.is_file()), None) for n in (images, labels)]
        if found[0]:
            return read_idx(found[0]), read_idx(found[1]) if found[1] else None
    raise NothingToDraw(f"{path}: there are no IDX images ({IDX_NAMES[0][0]}, plain or .gz)")


# ---- potentials


def potential_reports(results):
    """Path of every recorded potential and of the current recorded with it, or None: what config.toml names, else the files there are."""
    if results.path.is_file() and results.path.name.endswith("_mV.h5"):
        return [(results.path, None)]
    reports = results.config.get("record", {}).get("reports", [])
    names = [(f"{r['name']}_{v}", f"{r['name']}_stimulus_pA") for r in reports for v in r.get("variables", []) if re.fullmatch(r"v(_\w+)?_mV", v)]
    found = [(results.file(f"{v}.h5", required=False), results.file(f"{i}.h5", required=False)) for v, i in names]
    return [(v, i) for v, i in found if v]


def draw_potentials(results, window_ms=None):
    """Traces of the first units of every report of a potential, their spikes as bars, and below them the current from outside if it was recorded."""
    reports = potential_reports(results)
    if not reports:
        raise NothingToDraw(f"{results.path}: no potentials were recorded")
    spans = [report_span(v) for v, _ in reports]
    start, stop = window_ms or (min(s[0] for s in spans), max(s[1] for s in spans))
    if not window_ms and stop - start > MAX_WINDOW_MS:
        start = stop - SHOWN_MS
    panels = []  # frames, whether they are potentials
    for v, i in reports:
        traces = read_frames(v, start, stop, MAX_TRACES)
        panels += [(traces, True)] + ([(read_frames(i, start, stop, MAX_TRACES), False)] if i else [])
    if not any(len(frames.times_ms) for frames, _ in panels):
        raise NothingToDraw(f"{results.path}: there are no frames between {start:g} and {stop:g} ms")
    heights = [0.35 + 0.55 * len(frames.node_ids) if potentials else 0.9 for frames, potentials in panels]
    figure, axes = plt.subplots(len(panels), 1, sharex=True, squeeze=False, figsize=(PAGE_INCHES, sum(heights) + 0.5), layout="constrained",
                                height_ratios=heights)
    figure.get_layout_engine().set(h_pad=0.03, w_pad=0.03)
    for axis, (frames, potentials) in zip(axes[:, 0], panels):
        (draw_traces if potentials else draw_currents)(axis, frames, results, start, stop)
    axes[-1, 0].set(xlabel="time (ms)", xlim=(start, stop))
    figure.align_ylabels()
    return figure


def trace_colours(frames):
    return list(itertools.islice(itertools.cycle(COLOURS), len(frames.node_ids)))


def draw_traces(axes, frames, results, start, stop):
    """One below the other, all to the scale of a bar; a spike rises above the largest potential."""
    low, high = float(np.nanmin(frames.values, initial=np.inf)), float(np.nanmax(frames.values, initial=-np.inf))
    extent = max(high - low, 1e-3)
    row = 1.55 * extent
    for k, (unit, colour) in enumerate(zip(frames.node_ids, trace_colours(frames))):
        shift = -k * row
        axes.plot(frames.times_ms, frames.values[:, k] + shift, color=colour, linewidth=0.8)
        times = spike_times(results, frames.population, unit, start, stop)
        axes.vlines(times, high + shift, high + 0.35 * extent + shift, color=colour, linewidth=0.8)
        axes.annotate(f"unit {unit}", (1, low + 0.5 * extent + shift), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points", va="center",
                      fontsize=7, color=colour)
    ticks = MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(low, high)
    ticks = [t for t in ticks if low - 0.02 * extent <= t <= high + 0.02 * extent]
    axes.set_yticks([t - k * row for k in range(len(frames.node_ids)) for t in ticks], [f"{t:g}".replace("-", "\N{MINUS SIGN}") for _ in frames.node_ids for t in ticks])
    axes.set_ylim(low - (len(frames.node_ids) - 1) * row - 0.1 * extent, high + 0.45 * extent)
    axes.set_ylabel(f"{frames.population}\npotential ({frames.units})")


def draw_currents(axes, frames, results, start, stop):
    """Over one another, in the colours of the traces; the first unit on top. A current holds through the step that ends at its time."""
    for k, colour in reversed(list(enumerate(trace_colours(frames)))):
        axes.step(frames.times_ms, frames.values[:, k], where="pre", color=colour, linewidth=0.6)
    axes.set_ylabel(f"current ({frames.units})")
    axes.margins(y=0.1)


def spike_times(results, population, unit, start, stop):
    if results.file("spikes.h5", required=False) is None:
        return np.zeros(0)
    return np.concatenate([p.times_ms[(p.ids == unit) & (p.times_ms >= start) & (p.times_ms <= stop)] for p in results.spikes if p.name == population] or [np.zeros(0)])


# ---- raster


def draw_raster(results, window_ms=None):
    """Spikes of all populations over time, and below them the rate of each population."""
    populations = [p for p in results.spikes if p.size]
    if not any(len(p.times_ms) for p in populations):
        raise NothingToDraw(f"{results.path}: there are no spikes")
    start, stop = window_ms or shown_window(results)
    if is_circuit(results):
        return draw_circuit_raster(results, populations, start, stop)
    inside = [i for i in results.intervals if i.stop_ms > start and i.start_ms < stop]
    phases = list(dict.fromkeys(i.name for i in inside if i.level == "phase"))
    bands = stack_bands(populations)
    raster_inches = 0.35 + sum(b.height for b in bands)
    ratios = [raster_inches, 1.0] + ([0.15 * math.ceil(len(phases) / phase_columns(phases))] if phases else [])
    figure = plt.figure(figsize=(PAGE_INCHES, sum(ratios) + 0.75), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.03, w_pad=0.03)
    grid = figure.add_gridspec(len(ratios), 1, height_ratios=ratios)
    raster = figure.add_subplot(grid[0])
    rate = figure.add_subplot(grid[1], sharex=raster)
    draw_spikes(raster, bands, start, stop)
    draw_rates_over_time(rate, populations, start, stop)
    draw_intervals(raster, rate, inside, phases, start, stop)
    rate.set_xlabel(time_label(results, start, stop))
    if phases:
        add_phase_legend(figure.add_subplot(grid[2]), phases)
    return figure


def shown_window(results):
    """All of a short recording and of presentations; of a long one the last second, past the onset; less of a circuit, whose spikes are dense."""
    start, end = results.start_ms, results.duration_ms or 1.0
    if is_circuit(results):
        return max(start, end - CIRCUIT_MS), end
    return (end - SHOWN_MS, end) if not results.intervals and end - start > MAX_WINDOW_MS else (start, end)


def is_circuit(results):
    return not results.intervals and sum(p.size > 1 for p in results.spikes) >= CIRCUIT_POPULATIONS


def draw_circuit_raster(results, populations, start, stop):
    """A dense raster after Potjans & Diesmann 2014 (Fig. 6): the same share of the units of every population, so that density shows rate.

    Below, the rate of all excitatory and of all inhibitory units, or of each population when signs are not known.
    """
    colours = results.colours([p.name for p in populations])
    bands = stack_to_scale(populations, colours)
    signs = [results.sign_of(p.name) for p in populations]
    figure, (raster, rate) = plt.subplots(2, 1, sharex=True, figsize=(PAGE_INCHES, MAX_RASTER_INCHES + 1.75), layout="constrained",
                                          height_ratios=[MAX_RASTER_INCHES, 1.1])
    figure.get_layout_engine().set(h_pad=0.03, w_pad=0.03)
    draw_spikes(raster, bands, start, stop)
    if set(signs) == {1, -1}:
        summed = [merged([p for p, s in zip(populations, signs) if s == sign], name) for sign, name in ((1, "excitatory"), (-1, "inhibitory"))]
        draw_rates_over_time(rate, summed, start, stop, [shades(ends, 1)[0] for ends in (EXCITATORY, INHIBITORY)])
        rate.legend(loc="lower right", bbox_to_anchor=(1, 0.95), ncol=2, handlelength=1.2, fontsize=7, borderaxespad=0)
    else:
        draw_rates_over_time(rate, populations, start, stop, colours)
    rate.set_xlabel(time_label(results, start, stop))
    return figure


def merged(populations, name):
    """All units of several populations as one."""
    first = np.cumsum([0] + [p.size for p in populations])
    return Spikes(name, np.concatenate([p.times_ms for p in populations]), np.concatenate([p.ids + f for p, f in zip(populations, first)]),
                  int(first[-1]))


def stack_to_scale(populations, colours):
    """Bands whose heights are the numbers of units shown: the same share of each population, but for very small ones."""
    share = min(1.0, CIRCUIT_UNITS / sum(p.size for p in populations))
    shown = [np.unique(np.linspace(0, p.size - 1, min(p.size, max(CIRCUIT_LEAST, round(share * p.size)))).astype(np.int64)) for p in populations]
    inches = [max(0.28, MAX_RASTER_INCHES * len(s) / sum(map(len, shown))) for s in shown]
    scale = MAX_RASTER_INCHES / sum(inches)
    bands, bottom = [], 0.0
    for i in reversed(range(len(populations))):
        bands.append(Band(populations[i], colours[i], shown[i], bottom, inches[i] * scale))
        bottom += bands[-1].height + 0.03
    return bands


def time_label(results, start, stop):
    whole = start <= results.start_ms and stop >= results.duration_ms
    return "time (ms)" if whole else f"time (ms), {start:,.0f} to {stop:,.0f} of {results.duration_ms:,.0f} shown"


@dataclasses.dataclass
class Band:
    """Where a population lies in the raster: unit k of `shown` units at bottom + (k + 0.5) * height / shown, in inches."""
    population: Spikes
    colour: str
    shown: np.ndarray
    bottom: float
    height: float

    @property
    def row(self):
        return self.height / len(self.shown)

    @property
    def label(self):
        p = self.population
        units = f"{p.size:,} unit" + ("s" if p.size != 1 else "")
        return f"{p.name}\n" + (units if len(self.shown) == p.size else f"{len(self.shown)} of {p.size:,} shown")


def stack_bands(populations):
    """Bands from the first population at the top to the last; the height grows like the square root of the units shown."""
    shown = [np.unique(np.linspace(0, p.size - 1, min(p.size, MAX_UNITS_SHOWN)).astype(np.int64)) for p in populations]
    inches = [min(1.5, max(0.32, 0.14 * math.sqrt(len(s)))) for s in shown]
    scale = min(1.0, MAX_RASTER_INCHES / sum(inches))
    bands, bottom = [], 0.0
    for i in reversed(range(len(populations))):
        bands.append(Band(populations[i], COLOURS[i % len(COLOURS)], shown[i], bottom, max(0.26, inches[i] * scale)))
        bottom += bands[-1].height + 0.07
    return bands


def draw_spikes(axes, bands, start, stop):
    for band in bands:
        times, rows = spikes_shown(band, start, stop)
        # A bar as high as its row where there is room for one, else a dot that shrinks as spikes get denser.
        row_points = 72 * band.row
        density = len(times) / (band.height * (PAGE_INCHES - 1))  # spikes a square inch
        width = float(np.clip(30 / math.sqrt(max(density, 1)), 0.35, 1.0))
        marker = dict(marker="|", markersize=min(0.8 * row_points, 7), markeredgewidth=width) if row_points > 2 else \
            dict(marker="o", markersize=float(np.clip(45 / math.sqrt(max(density, 1)), 0.5, 1.6)), markeredgewidth=0)
        axes.plot(times, band.bottom + (rows + 0.5) * band.row, linestyle="none", color=band.colour, rasterized=len(times) > 2000,
                  clip_on=True, **marker)
    for below, above in zip(bands, bands[1:]):
        axes.axhline((below.bottom + below.height + above.bottom) / 2, color="0.75", linewidth=0.4)
    axes.set_ylim(-0.05, bands[-1].bottom + bands[-1].height + 0.05)
    axes.set_yticks([b.bottom + b.height / 2 for b in bands], [b.label for b in bands], fontsize=7.5, linespacing=1.1)
    for text, band in zip(axes.get_yticklabels(), bands):
        text.set_color(band.colour)
    for band in bands:
        if 1 < band.population.size <= MAX_NUMBERED:
            step = math.ceil(5.5 / (72 * band.row))  # no smaller than 5.5 points
            for row, unit in list(enumerate(band.shown))[::step]:
                axes.annotate(str(unit), (1, band.bottom + (row + 0.5) * band.row), xycoords=("axes fraction", "data"), xytext=(2, 0),
                              textcoords="offset points", va="center", fontsize=5.5, color=band.colour, annotation_clip=False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelbottom=False)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(start, stop)


def within(times_ms, start, stop):
    """A spike of the step from t to t + dt is written at t + dt, so a window is open below and closed above; 0 is in the first one."""
    return ((times_ms > start) | ((start <= 0) & (times_ms == 0))) & (times_ms <= stop)


def spikes_shown(band, start, stop):
    """Times and row numbers of the spikes of the units shown."""
    p = band.population
    rows = np.minimum(np.searchsorted(band.shown, p.ids), len(band.shown) - 1)
    keep = (band.shown[rows] == p.ids) & within(p.times_ms, start, stop)
    return p.times_ms[keep], rows[keep]


def draw_rates_over_time(axes, populations, start, stop, colours=COLOURS):
    span = stop - start
    rates = [np.count_nonzero(within(p.times_ms, start, stop)) / span for p in populations]  # spikes a ms
    bin_ms = next((b for b in (1, 2) if span / b <= 400 and b * np.median(rates) >= 10), 5)  # no finer than ten spikes a bin can show
    edges = start + bin_ms * np.arange(max(1, math.ceil(span / bin_ms - 1e-9)) + 1)
    for p, colour in zip(populations, itertools.cycle(colours)):
        times_ms = p.times_ms[within(p.times_ms, start, stop)]
        bins = np.ceil((times_ms - start) / bin_ms - 1e-6).astype(int) - 1  # open below, closed above, whatever the rounding of 0.1
        counts = np.bincount(np.clip(bins, 0, len(edges) - 2), minlength=len(edges) - 1)
        axes.stairs(counts / p.size / bin_ms * 1000, edges, color=colour, linewidth=0.7, baseline=None, label=p.name)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.set_ylabel(f"rate (Hz per unit)\n{bin_ms} ms bins")


def colour_cycle():
    while True:
        yield from COLOURS


def draw_intervals(raster, rate, intervals, phases, start, stop):
    """Phases as tints behind the spikes, presentations between thin lines with their names above."""
    tints = dict(zip(phases, PHASE_TINTS * (1 + len(phases) // len(PHASE_TINTS))))
    for i in intervals:
        begin, end = max(i.start_ms, start), min(i.stop_ms, stop)
        for axes in (raster, rate):
            if i.level == "phase":
                axes.axvspan(begin, end, color=tints[i.name], linewidth=0, zorder=-10)
            elif begin > start:
                axes.axvline(begin, color="0.35", linewidth=0.6)
    name_presentations(raster, [i for i in intervals if i.level == "presentation"], start, stop)


def name_presentations(axes, presentations, start, stop):
    """Names above the raster, all on one line, or all broken after their first comma or word ("label 7 | before learning"), or upright."""
    inches_per_ms, inches_per_letter = (PAGE_INCHES - 1.2) / (stop - start), 0.062
    spans = [(max(i.start_ms, start), min(i.stop_ms, stop), i.name) for i in presentations]

    def fit(names):
        return all(max(map(len, n.split("\n"))) * inches_per_letter <= (e - b) * inches_per_ms for n, (b, e, _) in zip(names, spans))

    names = [name for _, _, name in spans]
    broken = [name.replace(", " if ", " in name else " ", "\n", 1) for name in names]
    upright = not fit(names) and not fit(broken)
    for name, (begin, end, _) in zip(broken if fit(broken) and not fit(names) else names, spans):
        axes.annotate(name, ((begin + end) / 2, 1), xycoords=("data", "axes fraction"), xytext=(0, 3), textcoords="offset points",
                      ha="center", va="bottom", fontsize=7.5, linespacing=1.1, rotation=90 if upright else 0)


def phase_columns(phases):
    """As many columns of the legend as the page holds."""
    inches = [0.4 + 0.058 * len(name) for name in phases]  # patch and letters
    return len(phases) if sum(inches) < PAGE_INCHES - 0.5 else max(1, int((PAGE_INCHES - 0.5) / max(inches)))


def add_phase_legend(axes, phases):
    axes.axis("off")
    tints = PHASE_TINTS * (1 + len(phases) // len(PHASE_TINTS))
    patches = [matplotlib.patches.Patch(facecolor=t, edgecolor="0.6", linewidth=0.4, label=p) for p, t in zip(phases, tints)]
    columns = phase_columns(phases)
    by_column = [p for c in range(columns) for p in patches[c::columns]]  # the legend fills columns; phases are read in rows
    axes.legend(handles=by_column, loc="center", ncol=columns, handlelength=1.4, handleheight=0.9, columnspacing=1.4, fontsize=7.5,
                borderaxespad=0)


# ---- learning


def draw_learning(results, window_ms=None):
    """Errors over the images shown, with the binomial standard error of the validation; the untrained network as a dashed line."""
    table = results.learning
    images, train, validation = (table[c] for c in ("images", "train_error_percent", "validation_error_percent"))
    seen, tested = np.isfinite(train) & (images > 0), np.isfinite(validation)
    trained = tested & (images > 0)
    if not (trained | seen).any():
        raise NothingToDraw(f"{results.path}: learning.csv has no row with an error after learning")
    figure, axes = plt.subplots(figsize=(COLUMN_INCHES, 2.5), layout="constrained")
    axes.plot(images[seen], train[seen], color=COLOURS[4], linewidth=0.9, label="training", zorder=2)
    if trained.any():
        label = "validation"
        if held_out := results.config.get("data", {}).get("validation", 0):
            share = validation[trained] / 100
            error = 100 * np.sqrt(share * (1 - share) / held_out)
            axes.fill_between(images[trained], validation[trained] - error, validation[trained] + error, color=COLOURS[0], alpha=0.2,
                              linewidth=0)
            label = "validation ± SE"
        axes.plot(images[trained], validation[trained], color=COLOURS[0], marker="o", markersize=2.6, linewidth=1.2, label=label, zorder=3)
        for baseline in validation[tested & (images == 0)][:1]:
            axes.axhline(baseline, color="0.4", linewidth=0.8, dashes=(4, 2.5), label=f"untrained ({baseline:.3g} %)", zorder=1)
    drawn, errors, colour = (trained, validation, COLOURS[0]) if trained.any() else (seen, train, COLOURS[4])
    x, y = images[drawn][-1], errors[drawn][-1]
    axes.annotate(f"{y:.3g} %", (x, y), xytext=(4, 0), textcoords="offset points", va="center", color=colour, annotation_clip=False)
    axes.set_xlim(0, x * 1.02)
    scale_errors(axes, np.concatenate([train[seen], validation[tested]]))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    axes.set_xlabel("training images shown")
    axes.set_ylabel("error (%)")
    axes.legend(loc="best", handlelength=1.8, borderaxespad=0.2)
    return figure


def scale_errors(axes, errors):
    """A logarithmic axis with plain numbers when errors fall by more than a factor of four, else a linear one from 0."""
    low, high = np.nanmin(errors), np.nanmax(errors)
    if low <= 0 or high / low < 4:
        axes.set_ylim(0, max(1.0, 1.08 * high))
        return
    axes.set_yscale("log")
    axes.set_ylim(low / 1.25, min(100, high) * 1.25)
    axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.yaxis.set_minor_locator(LogLocator(10, subs=range(1, 10)))
    axes.yaxis.set_minor_formatter(NullFormatter())


# ---- fields


def draw_fields(results, window_ms=None):
    """Incoming weights of up to 64 units as images: those whose weights vary most, the most varied first."""
    projection = input_projection(results)
    side = math.isqrt(projection.sources)
    weights = np.zeros((projection.targets, projection.sources), np.float32)
    np.add.at(weights, (projection.target, projection.source), projection.weight)
    order = np.argsort(-weights.std(axis=1), kind="stable")[:MAX_FIELDS]
    columns = min(8, math.ceil(math.sqrt(len(order))))
    rows = math.ceil(len(order) / columns)
    size = (0.55 * columns + 0.75, 0.55 * rows + 0.25) if columns > 3 else (2.6, 0.55 * rows + 0.55)
    figure = plt.figure(figsize=size, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.0, hspace=0.0)
    axes = figure.subplots(rows, columns, squeeze=False)
    image = None
    for axis in axes.flat:
        axis.axis("off")
    for axis, unit in zip(axes.flat, order):
        field = weights[unit] / (np.abs(weights[unit]).max() or 1)
        image = axis.imshow(field.reshape(side, side), cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
    bar = figure.colorbar(image, ax=axes, shrink=min(1.0, 2.2 / (0.55 * rows)), aspect=18, pad=0.02, ticks=[-1, 0, 1])
    bar.ax.set_yticklabels(["−", "0", "+"])
    bar.set_label("weight / largest of the unit")
    bar.outline.set_linewidth(0.4)
    shown = f"{len(order)} of {projection.targets:,} units" if len(order) < projection.targets else f"{len(order)} units"
    figure.suptitle(f"{projection.source_population} → {projection.target_population}, {shown}", fontsize=8)
    return figure


def input_projection(results):
    """The first plastic projection from schedule.input; without a description, the first from a square population."""
    described = results.config.get("projections", {})
    source = results.config.get("schedule", {}).get("input", "")
    plastic = [name for name, p in described.items() if p.get("from") == source and p.get("plasticity", {}).get("rule")]
    stored = {p.name: p for p in results.projections}
    candidates = [stored[name] for name in plastic if name in stored] if described else list(stored.values())
    if not candidates:
        raise NothingToDraw(f"{results.path}: there is no plastic projection from the population that shows the images")
    square = [p for p in candidates[:1 if described else None] if p.sources > 1 and math.isqrt(p.sources) ** 2 == p.sources and p.targets]
    if not square:
        raise NothingToDraw(f"{results.path}: {candidates[0].name} has {candidates[0].sources} sources, which is not a square image")
    return square[0]


# ---- distributions


def draw_weights(results, window_ms=None):
    """Histogram of the weights of every projection."""
    projections = [p for p in results.projections if len(p.weight)]
    if not projections:
        raise NothingToDraw(f"{results.path}: there are no weights")
    columns = min(3, len(projections))
    rows = math.ceil(len(projections) / columns)
    width = COLUMN_INCHES if columns == 1 else PAGE_INCHES * columns / 3
    figure, axes = plt.subplots(rows, columns, figsize=(width, 1.75 * rows + 0.1), squeeze=False, layout="constrained")
    for axis in axes.flat[len(projections):]:
        axis.axis("off")
    for axis, p, colour in zip(axes.flat, projections, colour_cycle()):
        draw_weight_histogram(axis, p, colour)
    for axis in axes[:, 0]:
        axis.set_ylabel("synapses (%)")
    return figure


def draw_weight_histogram(axes, projection, colour):
    weight = projection.weight
    low, high = float(weight.min()), float(weight.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(weight, np.linspace(low, high, 61))
    axes.stairs(100 * counts / len(weight), edges, fill=True, color=colour, alpha=0.85)
    if low < 0 < high:
        axes.axvline(0, color="0.3", linewidth=0.6, dashes=(3, 2))
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.set_title(projection.name, fontsize=8, pad=13)
    numbers = f"n = {len(weight):,}, mean {weight.mean(dtype=float):.3g}, SD {weight.std(dtype=float):.3g}".replace("-", "−")
    axes.text(0.5, 1.02, numbers, transform=axes.transAxes, ha="center", va="bottom", fontsize=6.5, color="0.25")
    axes.set_xlabel("weight")


def draw_rates(results, window_ms=None):
    """Rate, CV and synchrony of each population where the run took them; else, or of a part of it, the distribution of single-unit rates."""
    return draw_activity(results) if results.activity and not window_ms else draw_rate_histograms(results, window_ms)


def draw_activity(results):
    """Boxes of the rates and CVs of the units, bars of the synchrony of as many units of each, one row a population (after Potjans & Diesmann 2014, Fig. 6)."""
    populations, activity = active_populations(results), results.activity
    colours = results.colours([p.name for p in populations])
    figure, axes = plt.subplots(1, 3, figsize=(PAGE_INCHES, 0.24 * len(populations) + 1.0), sharey=True, layout="constrained")
    rows = np.arange(len(populations))[::-1]
    for row, p, colour in zip(rows, populations, colours):
        draw_box(axes[0], row, p.rate_Hz, colour)
        draw_box(axes[1], row, p.cv[np.isfinite(p.cv)], colour)
    axes[2].barh(rows, [synchrony(p.sample_bins_with) for p in populations], height=0.62, color=colours, alpha=0.85)
    for axis in axes[1:]:
        axis.axvline(1, color="0.4", linewidth=0.7, dashes=(4, 2.5), zorder=0)
        axis.annotate("Poisson", (1, 1), xycoords=("data", "axes fraction"), xytext=(0, 1), textcoords="offset points", ha="center",
                      va="bottom", fontsize=6.5, color="0.4")
    axes[0].set_yticks(rows, [p.name for p in populations])
    for text, colour in zip(axes[0].get_yticklabels(), colours):
        text.set_color(colour)
    axes[0].set_ylim(-0.6, len(rows) - 0.4)
    high = np.nanmax([p.cv[np.isfinite(p.cv)].max(initial=1) for p in populations])
    for axis, label in zip(axes, ("rate of a unit (Hz)", f"CV of a unit (at least {activity.least_intervals} intervals)",
                                  synchrony_label(activity, populations))):
        axis.set_xlabel(label)
        axis.set_xlim(left=0)
        axis.tick_params(axis="y", length=0)
        axis.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes[1].set_xlim(0, max(1.05, min(2.5, 1.02 * high)))
    return figure


def synchrony_label(activity, populations):
    whole = max(len(p.rate_Hz) for p in populations) <= activity.sampled_units
    return f"synchrony in {activity.bin_ms:g} ms" + ("" if whole else f", {activity.sampled_units:,} units")


def active_populations(results):
    if results.activity is None:
        raise NothingToDraw(f"{results.path}: there is no activity.h5, which runs without a schedule write")
    populations = [p for p in results.activity.populations if np.any(p.rate_Hz)]
    if not populations:
        raise NothingToDraw(f"{results.path}: there are no spikes")
    return populations


def draw_box(axes, row, values, colour):
    """Median, quartiles, whiskers from the 5th to the 95th percentile, a white dot for the mean; fewer than five values as they are."""
    if len(values) < 5:
        axes.plot(values, np.full(len(values), row), linestyle="none", marker="o", markersize=3, markeredgewidth=0, color=colour)
        return
    line = dict(color=colour, linewidth=0.9)
    axes.boxplot(values, positions=[row], vert=False, widths=0.62, whis=(5, 95), showfliers=False, showmeans=True, patch_artist=True,
                 boxprops=dict(facecolor=matplotlib.colors.to_rgba(colour, 0.35), edgecolor=colour, linewidth=0.9), whiskerprops=line,
                 capprops=line, medianprops=dict(color=colour, linewidth=1.6),
                 meanprops=dict(marker="o", markersize=3, markerfacecolor="white", markeredgecolor=colour, markeredgewidth=0.8),
                 manage_ticks=False)


def draw_correlation(results, window_ms=None):
    """Left: correlations of the spike counts of pairs of units, numbers on a logarithmic scale, as few pairs make the mean. Right: rate of the population in a bin. One row a population."""
    populations, activity = active_populations(results), results.activity
    figure, axes = plt.subplots(len(populations), 2, figsize=(PAGE_INCHES, 0.5 * len(populations) + 0.6), sharex="col", squeeze=False,
                                layout="constrained")
    figure.get_layout_engine().set(h_pad=0.02)
    pooled = np.concatenate([p.correlation for p in populations])
    low, high = np.quantile(pooled, [0.002, 0.998]) if len(pooled) else (-1, 1)
    edges = np.linspace(min(low, -0.01) * 1.1, max(high, 0.01) * 1.1, 61)
    for (left, right), p, colour in zip(axes, populations, results.colours([p.name for p in populations])):
        left.stairs(np.histogram(np.clip(p.correlation, edges[0], edges[-1]), edges)[0], edges, fill=True, color=colour, alpha=0.85)
        draw_bin_rates(right, p, activity.bin_ms, colour)
        left.axvline(0, color="0.4", linewidth=0.6, dashes=(4, 2.5))
        mean = f"{p.correlation.mean():.2g}".replace("-", "−") if len(p.correlation) else "none"
        for axis, text in ((left, f"mean {mean}, {len(p.correlation):,} pairs"), (right, f"variance/mean {synchrony(p.bins_with):.3g}")):
            axis.text(1, 0.95, text, transform=axis.transAxes, ha="right", va="top", fontsize=7, color="0.25")
            axis.spines["left"].set_visible(False)
            axis.tick_params(axis="y", which="both", left=False, labelleft=False)
        left.set(yscale="log", ylim=(0.7, max(2, 2 * len(p.correlation))))
        right.set_ylim(bottom=0)
        left.set_ylabel(p.name, rotation=0, ha="right", va="center", color=colour, fontsize=7.5)
    axes[-1, 0].set_xlabel(f"correlation of a pair (bins of {activity.correlation_bin_ms:g} ms)")
    axes[-1, 1].set_xlabel(f"rate of the population in bins of {activity.bin_ms:g} ms (Hz per unit)")
    axes[-1, 0].set_xlim(edges[0], edges[-1])
    axes[-1, 1].set_xlim(left=0)
    return figure


def draw_bin_rates(axes, population, bin_ms, colour):
    """Counts of spikes in a bin, as rates; neighbouring counts together where there are many."""
    counts = population.bins_with.astype(float)
    step = math.ceil(len(counts) / 60)
    counts = np.add.reduceat(counts, np.arange(0, len(counts), step))
    edges = (np.arange(len(counts) + 1) * step - 0.5) / len(population.rate_Hz) / bin_ms * 1000
    axes.stairs(counts, edges, fill=True, color=colour, alpha=0.85)


def draw_rate_histograms(results, window_ms):
    """Distribution of single-unit rates, one row a population, silent units included."""
    start, stop = window_ms or (results.start_ms, results.duration_ms)
    populations = [p for p in results.spikes if p.size]
    if not populations or stop <= start:
        raise NothingToDraw(f"{results.path}: there are no spikes")
    rates = [unit_rates(p, start, stop) for p in populations]
    one_spike = 1000 / (stop - start)  # rates are multiples of this: so is the width of a bin
    high = max(max(float(r.max()) for r in rates), one_spike)
    width = one_spike * math.ceil(high / 40 / one_spike)
    edges = np.arange(-one_spike / 2, high + width, width)
    figure, axes = plt.subplots(len(rates), 1, figsize=(COLUMN_INCHES, 0.5 * len(rates) + 0.45), sharex=True, squeeze=False,
                                layout="constrained")
    for axis, p, rate, colour in zip(axes.flat, populations, rates, results.colours([p.name for p in populations])):
        axis.stairs(np.histogram(rate, edges)[0], edges, fill=True, color=colour, alpha=0.85)
        axis.axvline(rate.mean(), color="0.15", linewidth=0.8)
        axis.set_ylabel(f"{p.name}\n{p.size:,} units", rotation=0, ha="right", va="center", color=colour, fontsize=7.5)
        axis.text(1, 0.95, f"mean {rate.mean():.3g} Hz", transform=axis.transAxes, ha="right", va="top", fontsize=7, color="0.25")
        axis.set_ylim(bottom=0)
        axis.set_yticks([])
        axis.spines["left"].set_visible(False)
    axes[-1, 0].set_xlabel("rate of a unit (Hz)")
    axes[-1, 0].set_xlim(edges[0], edges[-1])
    return figure


def unit_rates(population, start, stop):
    """Hz, one a unit."""
    keep = within(population.times_ms, start, stop)
    return np.bincount(population.ids[keep], minlength=population.size) / (stop - start) * 1000


def draw_isi(results, window_ms=None):
    """Left: intervals between spikes of a unit. Right: their coefficient of variation, one value a unit and presentation.

    A presentation starts from rest with another image, so no interval reaches from one into the next.
    """
    borders_ms = sorted(i.start_ms for i in results.intervals if i.level == "presentation")
    colours = results.colours([p.name for p in results.spikes])
    data = [(p, colour, *unit_intervals(p, borders_ms)) for p, colour in zip(results.spikes, colours)]
    data = [row for row in data if len(row[2])]
    if not data:
        raise NothingToDraw(f"{results.path}: no unit has two spikes")
    figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE_INCHES, 2.3), layout="constrained")
    intervals = np.concatenate([row[2] for row in data])
    units = [len(row[3]) for row in data if len(row[3]) >= 10]
    edges = interval_edges(intervals, results.config.get("run", {}).get("dt_ms", 0))
    cv_edges = np.linspace(0, 2, 41 if min(units, default=0) >= 100 else 21)
    for p, colour, isi, cv in data:
        label = f"{p.name} (CV {cv.mean():.2f})" if len(cv) else p.name
        left.stairs(percent(isi, edges) / np.diff(edges), edges, baseline=None, color=colour, linewidth=1, label=label)
        if len(cv) >= 10:  # units: fewer make no distribution
            right.stairs(percent(np.minimum(cv, 1.999), cv_edges), cv_edges, color=colour, linewidth=1)
    left.set_xscale("log")
    left.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    left.set(xlabel="interval between spikes (ms)", ylabel="intervals (% per ms)", yscale="log", xlim=(edges[0], edges[-1]))
    right.axvline(1, color="0.4", linewidth=0.7, dashes=(4, 2.5))
    right.set(xlabel="CV of the intervals of a unit" + (" in a presentation" if borders_ms else ""), xlim=(0, 2),
              ylabel="units × presentations (%)" if borders_ms else "units (%)")
    left.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    right.set_ylim(bottom=0)
    right.legend(handles=left.get_legend_handles_labels()[0], loc="upper left", bbox_to_anchor=(1.02, 1), fontsize=7, handlelength=1.2,
                 borderaxespad=0)
    return figure


def interval_edges(intervals, dt_ms):
    """Edges of equal ratio; where spikes lie on a grid, between its points, so that no bin is empty for want of one."""
    edges = np.geomspace(max(intervals.min(), 0.1), max(intervals.max(), 1.0) * 1.01, 36)
    on_grid = dt_ms > 0 and np.all(np.abs(intervals / dt_ms - np.round(intervals / dt_ms)) < 1e-3)
    return np.unique(np.round(edges / dt_ms - 0.5).clip(0) + 0.5) * dt_ms if on_grid else edges


def percent(values, edges):
    return 100 * np.histogram(values, edges)[0] / len(values)


def unit_intervals(population, borders_ms=(), least=10):
    """Intervals (ms) between successive spikes of a unit, and the CV of each unit with at least `least` of them.

    Between borders (start times of presentations) a unit counts as another one.
    """
    piece = np.searchsorted(borders_ms, population.times_ms)  # a spike at a border belongs to what came before
    trains = population.ids * (len(borders_ms) + 1) + piece
    order = np.lexsort((population.times_ms, trains))
    trains, times = trains[order], population.times_ms[order]
    keep = trains[1:] == trains[:-1]
    isi, train = np.diff(times)[keep], trains[1:][keep]
    _, owner, count = np.unique(train, return_inverse=True, return_counts=True)
    mean, square = np.bincount(owner, isi) / count, np.bincount(owner, isi ** 2) / count
    with np.errstate(invalid="ignore"):  # two spikes in a step are an interval of 0, and one such interval has no CV
        cv = np.sqrt(np.maximum(square - mean ** 2, 0)) / mean
    return isi, cv[count >= least]


def draw_digits(results, window_ms=None):
    """Contact sheet: a row a class, 16 images each; without labels the first 160."""
    images, labels = read_images(results.path)
    if images.ndim != 3 or not len(images):
        raise NothingToDraw(f"{results.path}: there are no images")
    rows, columns = 10, 16
    height, width = images.shape[1:]
    sheet = np.zeros((rows * (height + 2), columns * (width + 2)), np.uint8)
    for row in range(rows):
        chosen = np.arange(row * columns, (row + 1) * columns) if labels is None else np.flatnonzero(labels == row)[:columns]
        for column, index in enumerate(chosen[chosen < len(images)]):
            y, x = row * (height + 2) + 1, column * (width + 2) + 1
            sheet[y:y + height, x:x + width] = images[index]
    figure, axes = plt.subplots(figsize=(5.0, 5.0 * sheet.shape[0] / sheet.shape[1]), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02)
    axes.imshow(255 - sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks([])
    classes = range(0 if labels is None else rows)
    axes.set_yticks([(c + 0.5) * (height + 2) for c in classes], [str(c) for c in classes])
    axes.tick_params(length=0)
    return figure


# ---- verification


@dataclasses.dataclass
class Series:
    """Points, or a line, of a panel of a verification: x, y and error (half lengths of bars; none when it is empty), #points each.

    One without a name belongs to the one before it.
    """
    name: str
    x: np.ndarray
    y: np.ndarray
    error: np.ndarray
    line: bool


@dataclasses.dataclass
class Panel:
    x_label: str
    y_label: str
    x_log: bool
    y_log: bool
    series: list


def read_verification(directory):
    """Name -> list of Panel, of every figure in verification.json."""
    path = Results(directory).file("verification.json")
    return read_figures(path, lambda report: [figure for check in report["checks"] for figure in check["figures"]], "the report of a verification")


def read_figures(path, figures_of, what):
    """Name -> list of Panel, of the figures of a JSON file."""
    try:
        found = {figure["name"]: [read_panel(panel) for panel in figure["panels"]] for figure in figures_of(json.loads(path.read_text(encoding="utf-8")))}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FigureError(f"{path}: is not {what} ({type(error).__name__}: {error})") from None
    if not any(found.values()):
        raise NothingToDraw(f"{path}: there are no figures")
    return {name: panels for name, panels in found.items() if panels}


def read_panel(panel):
    series = [Series(s["name"], *(np.array(s[key], float) for key in ("x", "y", "error")), bool(s["line"])) for s in panel["series"]]
    for s in series:
        if len(s.x) != len(s.y) or len(s.error) not in (0, len(s.x)):
            raise ValueError(f"series {s.name} has {len(s.x)} x, {len(s.y)} y and {len(s.error)} errors")
    return Panel(panel["x_label"], panel["y_label"], bool(panel["x_log"]), bool(panel["y_log"]), series)


def draw_panels(panels):
    """Panels side by side, at most three in a row."""
    columns = 2 if len(panels) == 4 else min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    inside = 3 if columns == 3 else 4  # entries of a legend that leave the data visible
    most = max(len(legend_entries(panel.series)) for panel in panels)
    inches = (2.2 if columns == 3 else 2.6) + (0.15 * most if most > inside else 0)
    figure, axes = plt.subplots(rows, columns, figsize=(COLUMN_INCHES if columns == 1 else PAGE_INCHES, rows * inches), squeeze=False,
                                layout="constrained")
    for axis in axes.flat[len(panels):]:
        axis.axis("off")
    legends = []
    for k, (axis, panel) in enumerate(zip(axes.flat, panels)):
        draw_panel(axis, panel)
        if len(panels) > 1:
            axis.set_title("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[k % 26], loc="left", fontweight="bold")
        entries = legend_entries(panel.series)
        if len(panel.series) > 1 and entries and entries not in legends:  # the same names have the same colours: once is enough
            legends.append(entries)
            add_series_legend(axis, entries, below=len(entries) > inside)
    return figure


def measured_with_law(series):
    """Pairs (points, line) of the same colour, when there are as many lines as points; else none."""
    points, lines = [s for s in series if not s.line], [s for s in series if s.line]
    return list(zip(points, lines)) if len(points) == len(lines) else []


def legend_entries(series):
    """Entry -> names of the series it stands for. "unbalanced, from spikes" and "unbalanced, law" share the entry "unbalanced"."""
    pairs = measured_with_law(series)
    stems = [points.name.rpartition(", ")[0] for points, _ in pairs]
    if len(pairs) > 1 and all(stems) and stems == [line.name.rpartition(", ")[0] for _, line in pairs]:
        return {stem: (points.name, line.name) for stem, (points, line) in zip(stems, pairs)}
    return {s.name: (s.name,) for s in series if s.name}


def draw_panel(axes, panel):
    scale_axis(axes, "x", panel.x_log, [s.x for s in panel.series])
    scale_axis(axes, "y", panel.y_log, [s.y for s in panel.series])
    lines_of = collections.Counter()
    for k, (series, colour) in enumerate(zip(panel.series, series_colours(panel.series))):
        if series.line:
            draw_line(axes, series, colour, LINE_STYLES[lines_of[colour] % len(LINE_STYLES)])
            lines_of[colour] += bool(series.name)
        else:
            draw_points(axes, series, colour, "os^Dv"[k % 5])
    values = np.concatenate([s.y for s in panel.series] or [np.zeros(0)])
    if not panel.y_log and np.nanmin(values, initial=0) < 0 < np.nanmax(values, initial=0):
        axes.axhline(0, color="0.8", linewidth=0.6, zorder=0)
    axes.set(xlabel=panel.x_label, ylabel=panel.y_label)


def series_colours(series):
    """A measurement and its law share a colour when there are as many lines as points; the only line is grey; else each its own."""
    named = [s for s in series if s.name]
    lines = sum(s.line for s in named)
    points = len(named) - lines
    if lines == 1 and points:
        line_colours = iter(["0.45"])
    else:
        line_colours = iter(COLOURS * 9 if measured_with_law(named) else (COLOURS * 9)[points:])
    point_colours = iter(COLOURS * 9)
    colours = []
    for s in series:
        colours.append(next(line_colours if s.line else point_colours, COLOURS[-1]) if s.name or not colours else colours[-1])
    return colours


def draw_line(axes, series, colour, style):
    axes.plot(series.x, series.y, color=colour, linestyle=style, linewidth=1.1, label=series.name, zorder=2)
    if len(series.error):
        axes.fill_between(series.x, series.y - series.error, series.y + series.error, color=colour, alpha=0.2, linewidth=0, zorder=1)


def draw_points(axes, series, colour, marker):
    size = float(np.clip(30 / math.sqrt(max(len(series.x), 1)), 1.2, 3.6))
    axes.errorbar(series.x, series.y, yerr=series.error if len(series.error) else None, linestyle="none", marker=marker, markersize=size,
                  markeredgewidth=0, color=colour, elinewidth=0.8, capsize=1.5, label=series.name, zorder=3)


def scale_axis(axes, which, log, values):
    """A logarithmic axis has plain numbers when it spans few decades; without a positive value there is none."""
    values = np.concatenate(values or [np.zeros(0)])
    positive = values[np.isfinite(values) & (values > 0)]
    if not log or not len(positive):
        return
    axes.set_xscale("log", nonpositive="mask") if which == "x" else axes.set_yscale("log", nonpositive="clip")
    axis = axes.xaxis if which == "x" else axes.yaxis
    decades = math.log10(positive.max() / positive.min())
    if decades < 2.5:
        axis.set_major_locator(LogLocator(10, subs=(1, 2, 5) if decades > 0.5 else range(1, 10)))
    if 1e-3 <= positive.min() and positive.max() < 1e5:
        axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.set_minor_formatter(NullFormatter())


def add_series_legend(axes, entries, below):
    """In the panel, or below it."""
    handles, names = axes.get_legend_handles_labels()
    drawn = dict(zip(names, handles))
    place = dict(loc="upper center", bbox_to_anchor=(0.5, -0.24)) if below else dict(loc="best")
    axes.legend([tuple(drawn[s] for s in series) for series in entries.values()], list(entries), handlelength=1.6, fontsize=7,
                borderaxespad=0.2, **place)


def draw_verification(directory):
    """A picture for every figure of the report. Returns their names in the directory."""
    return [f"verification/{name}" for name in draw_into(read_verification(directory), pathlib.Path(directory) / "verification")]


def draw_into(figures, folder):
    """Name -> panels become FOLDER/NAME.png. Returns the names of the files."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise FigureError(f"{folder}: cannot be made: {error.strerror}") from None
    for name, panels in figures.items():
        save(draw_panels(panels), folder / f"{name}.png")
    return [f"{name}.png" for name in figures]


def draw_figures_of(file, folder):
    """A picture for every figure of a JSON file {"figures": [{"name", "panels"}]}, the form of those in verification.json."""
    return draw_into(read_figures(pathlib.Path(file), lambda content: content["figures"], "a list of figures"), pathlib.Path(folder))


FIGURES = {"raster": draw_raster, "learning": draw_learning, "fields": draw_fields, "weights": draw_weights, "rates": draw_rates,
           "isi": draw_isi, "correlation": draw_correlation, "potentials": draw_potentials, "digits": draw_digits}
AUTOMATIC = {"raster": draw_raster, "rates": draw_activity, "potentials": draw_potentials, "learning": draw_learning, "fields": draw_fields}


# ---- command line


def save(figure, path):
    """Under its name only when complete."""
    temporary = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        figure.savefig(temporary, metadata={"Date": None} if path.suffix == ".svg" else None)
        os.replace(temporary, path)
    except OSError as error:
        raise FigureError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        plt.close(figure)
        temporary.unlink(missing_ok=True)


def draw_all(directory):
    """raster.png, rates.png, potentials.png, learning.png, fields.png, as far as the directory has what they show. Returns the names written."""
    results = Results(directory)
    if not results.path.is_dir():
        raise FigureError(f"{directory}: must be a results directory")
    written = []
    for what, draw in AUTOMATIC.items():
        try:
            figure = draw(results)
        except NothingToDraw:
            continue
        save(figure, results.path / f"{what}.png")
        written.append(f"{what}.png")
    if not written:
        raise NothingToDraw(f"{directory}: nothing to draw: there are no spikes, no potentials, no learning curve and no fields")
    return written


def draw_some(paths, names, output, window_ms):
    """One picture for every result and name. Several pictures are told apart: OUT-NAME.png, OUT-RESULT-NAME.png."""
    output = pathlib.Path(output)
    if output.suffix not in (".png", ".svg", ".pdf"):
        raise FigureError(f"{output}: a figure must end in .png, .svg or .pdf")
    written = []
    for results in map(Results, paths):
        for name in names:
            parts = [output.stem] + [results.name] * (len(paths) > 1) + [name] * (len(names) > 1)
            target = output.with_name("-".join(parts) + output.suffix)
            save(FIGURES[name](results, window_ms), target)
            written.append(str(target))
    return written


class Parser(argparse.ArgumentParser):
    def error(self, message):
        """One line, without the usage."""
        self.exit(2, f"ydot_figures: {message}\n")


def parse_arguments(arguments):
    parser = Parser(description="Draws the figures of Ydot from the files of a run.")
    parser.add_argument("results", nargs="*", help="results directories, or single files of one")
    parser.add_argument("--what", default="raster", help="comma-separated: " + ", ".join(FIGURES))
    parser.add_argument("-o", "--output", help="picture to write: .png, .svg or .pdf")
    parser.add_argument("--window", nargs=2, type=float, metavar=("START", "STOP"), help="part of the recording to show, in ms")
    parser.add_argument("--all", metavar="DIR", help="write " + ", ".join(f"{a}.png" for a in AUTOMATIC) + " into DIR, whichever apply")
    parser.add_argument("--verification", metavar="DIR", help="draw the figures of DIR/verification.json into DIR/verification")
    parser.add_argument("--panels", nargs=2, metavar=("FILE", "DIR"), help="draw the figures that FILE lists, in the form of verification.json, into DIR")
    options = parser.parse_args(arguments)
    options.what = [name.strip() for name in options.what.split(",")]
    if unknown := [name for name in options.what if name not in FIGURES]:
        parser.error(f"--what: there is no figure '{unknown[0]}'; there are {', '.join(FIGURES)}")
    if options.window and options.window[1] <= options.window[0]:
        parser.error("--window: STOP must be greater than START")
    if not options.all and not options.verification and not options.panels and not (options.results and options.output):
        parser.error("give results and -o OUT.png, --all DIR, --verification DIR, or --panels FILE DIR")
    return options


def draw(options):
    """Names of the pictures written."""
    if options.verification:
        return draw_verification(options.verification)
    if options.panels:
        return draw_figures_of(*options.panels)
    return draw_all(options.all) if options.all else draw_some(options.results, options.what, options.output, options.window)


def main(arguments=None):
    options = parse_arguments(arguments)
    try:
        with matplotlib.rc_context(STYLE):
            written = draw(options)
    except FigureError as error:
        print(f"ydot_figures: {error}", file=sys.stderr)
        return 2
    print("\n".join(written))
    return 0


if __name__ == "__main__":
    sys.exit(main())
