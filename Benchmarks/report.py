#!/usr/bin/env python3
"""Makes tables and charts of what the benchmarks measured.

    report.py --collect LINES > results.json    medians of the launches; LINES is what the programs of `run` printed
    report.py results.json                      prints the tables, in Markdown
    report.py results.json --write              also puts them into README.md and draws the charts, all beside this file
"""
import json
import pathlib
import re
import statistics
import sys

import charts

HERE = pathlib.Path(__file__).parent
OURS = "TreeRing"
STREAM = "swift-log StreamLogHandler"
CHARTS = {"calls.svg": charts.calls, "percentiles.svg": charts.percentiles, "throughput.svg": charts.throughput}


# MARK: collecting


def collect(lines):
    """The setup, and one value for each figure: the median of the launches. Histograms are averaged, for their rows must add up."""
    setup, values, launches = {}, {}, {}
    for line in map(json.loads, lines):
        if "setup" in line:
            setup[line["setup"]] = line["value"]
            continue
        key = tuple(line[name] for name in ("subject", "question", "threads", "figure"))
        values.setdefault(key, []).append(line["value"])
        launches[key[:1]] = max(launches.get(key[:1], 0), len(values[key]))
    results = []
    for key, several in values.items():
        if key[1].endswith("histogram"):
            value = sum(several) / launches[key[:1]]
        else:
            value = statistics.median_low(several)
        results.append(dict(zip(("subject", "question", "threads", "figure"), key), value=float(f"{value:.5g}")))
    return {"setup": setup, "results": results}


def as_json(results):
    """One result a line, so that a difference between two runs can be read."""
    setup = json.dumps(results["setup"], indent=2, ensure_ascii=False)
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in results["results"])
    return f'{{\n"setup": {setup},\n"results": [\n{rows}\n]\n}}'


class Results:
    """Looks figures up."""

    def __init__(self, collected):
        self.setup = collected["setup"]
        self.questions = {}
        for row in collected["results"]:
            subjects = self.questions.setdefault((row["question"], row["threads"]), {})
            subjects.setdefault(row["subject"], {})[row["figure"]] = row["value"]

    def subjects(self, question, threads=1):
        """Figures by subject, in the order they were measured."""
        return self.questions.get((question, threads), {})

    def get(self, subject, question, figure, threads=1):
        return self.subjects(question, threads).get(subject, {}).get(figure)

    @property
    def many(self):
        """The number of threads of the runs with several."""
        return max((threads for _, threads in self.questions), default=1)

    def callers(self, question, threads):
        """Subjects whose calls were measured by the whole protocol, TreeRing and its peers."""
        return [name for name in self.subjects(question, threads) if "p50" in self.subjects(question, threads)[name]]

    def loggers(self, question, threads):
        """Those of them that are compared: with several kinds of call behind swift-log, only the plain one."""
        return [name for name in self.callers(question, threads)
                if not name.startswith("swift-log") or name in (STREAM, "swift-log TreeRing")]


# MARK: Markdown


def number(value):
    if value is None:
        return ""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}"


def table(title, header, rows):
    lines = [f"**{title}**", "", "| | " + " | ".join(header) + " |", "|---|" + "---:|" * len(header)]
    lines += ["| " + " | ".join([name] + [cell if isinstance(cell, str) else number(cell) for cell in cells]) + " |"
              for name, *cells in rows]
    return "\n".join(lines)


def times(value, base):
    return f"{value / base:.1f}" if value and base else ""


def setup(results):
    return "\n".join(f"- {name}: {value}" for name, value in results.setup.items())


def in_short(results):
    get = results.get
    peers = [name for name in results.loggers("in a row", 1) if name not in (OURS, "swift-log TreeRing")]
    lines = [
        f"- A call that is switched off takes {number(get(OURS, 'disabled', 'p50'))} ns, and an empty relaxed load in the same loop "
        f"{number(get('empty relaxed load', 'disabled', 'p50'))} ns.",
        f"- An enabled call with three arguments takes {number(get(OURS, 'in a row', 'burst p50'))} ns (p50) in a row, "
        f"{number(get(OURS, 'spaced', 'burst p50'))} ns when the thread did something else for 2 ms before, "
        f"{number(get(OURS, 'allocations', 'per call') or 0)} allocations and {number(get(OURS, 'instructions', 'enabled call'))} instructions.",
    ]
    for peer in peers:
        ratios = [times(get(peer, question, f"burst {figure}"), get(OURS, question, f"burst {figure}"))
                  for question in ("in a row", "spaced") for figure in ("p50", "p99")]
        lines.append(f"- {peer} takes {ratios[0]} times as long in a row ({ratios[1]} at p99), and {ratios[2]} times spaced ({ratios[3]} at p99).")
    text, json_ = (get(f"{OURS}, {kind}", "writer", "records per second") for kind in ("text", "JSON"))
    for peer, figures in results.subjects("writer").items():
        if not peer.startswith(OURS):
            rate = figures["records per second"]
            lines.append(f"- The writer writes {times(text, rate)} times as many records a second as {peer} as text, {times(json_, rate)} times as JSON.")
    lines += [f"- {line}" for line in door_in_short(results)]
    return "\n".join(lines)


def door_in_short(results):
    for kind, words in (("", "without metadata"), (", metadata", "with three metadata values of the call"),
                        (", context", "with three metadata values of the logger")):
        own, nothing, stream = (results.get(f"swift-log {name}{kind}", "in a row", "burst p50") for name in (OURS, "no-op", "StreamLogHandler"))
        if own and nothing and stream:
            yield (f"Behind swift-log, {words}: StreamLogHandler takes {times(stream, own)} times as long as TreeRing, "
                   f"which takes {number(own - nothing)} ns more than a handler that does nothing.")


def disabled(results):
    load = results.get("empty relaxed load", "disabled", "p50")
    rows = [(name, figures["p50"], figures["best"], figures["p50"] - load, results.get(name, "instructions", "disabled call"))
            for name, figures in results.subjects("disabled").items()]
    return table("A call that is switched off, ns", ["p50", "best", "more than the load", "instructions"], rows)


def clocks(results):
    rows = [(name, figures["p50"], figures["best"]) for name, figures in results.subjects("clock").items()]
    return table("Reading a clock, ns", ["p50", "best"], rows)


def enabled(results, question, threads):
    words = "20 calls 2 ms apart" if question == "spaced" else "1,000 calls in a row"
    header = ["mean of a burst: p50", "p99", "p50 without clock", "one call: p50", "p90", "p99", "p99.9", "max", "times TreeRing: p50", "p99"]
    rows = []
    for name in results.loggers(question, threads):
        of = results.subjects(question, threads)[name].get
        base = results.subjects(question, threads)[OURS].get
        rows.append((name, of("burst p50"), of("burst p99"), of("burst p50 without clock"), *(of(f) for f in ("p50", "p90", "p99", "p99.9", "max")),
                     times(of("burst p50"), base("burst p50")), times(of("burst p99"), base("burst p99"))))
    return table(f"{words}, {threads} thread{'s' if threads > 1 else ''}, ns", header, rows)


def without_noise(results):
    rows = []
    for name in results.loggers("in a row", 1):
        own, call = results.get(OURS, "instructions", "enabled call"), results.get(name, "instructions", "enabled call")
        rows.append((name, call, times(call, own), f"{results.get(name, 'allocations', 'per call') or 0:.0f}"))
    return table("An enabled call without noise", ["instructions", "times TreeRing", "allocations"], rows)


def handlers(results):
    rows = []
    for kind in ("", ", literal", ", metadata", ", context"):
        of = {name: results.get(f"swift-log {name}{kind}", "in a row", "burst p50") for name in ("no-op", OURS, "StreamLogHandler")}
        for name, own in of.items():
            if own and of["no-op"] and of["StreamLogHandler"]:
                subject = f"swift-log {name}{kind}"
                rows.append((f"{name}{kind}", own, own - of["no-op"], times(of["StreamLogHandler"], own),
                             results.get(subject, "instructions", "enabled call"), f"{results.get(subject, 'allocations', 'per call') or 0:.0f}"))
    return table("Handlers of swift-log, calls in a row, 1 thread, ns",
                 ["p50", "more than no-op", "StreamLogHandler takes … times as long", "instructions", "allocations"], rows)


def writer(results, question, title, base):
    rows = []
    for name, figures in results.subjects(question).items():
        rate, size = figures["records per second"], figures.get("bytes per record")
        own = results.get(base, question, "records per second") if base else None
        rows.append((name, rate, size, rate * size / 1e6 if size else None, results.get(name, "instructions", "written record"),
                     *([times(own, rate)] if base else [])))
    header = ["records a second", "bytes a record", "MB a second", "instructions a record"] + (["TreeRing, text is … times as fast"] if base else [])
    return table(title, header, rows)


def call_to_file(results):
    rows = [(name, figures["p50"], figures["p99"]) for name, figures in results.subjects("call to file").items()]
    return table("From the call until the record is in the file, one record and a flush, µs", ["p50", "p99"], rows)


def markdown(results):
    many = results.many
    parts = [setup(results), in_short(results), disabled(results), clocks(results)]
    parts += [enabled(results, question, threads) for threads in sorted({1, many}) for question in ("spaced", "in a row")]
    parts += [without_noise(results), handlers(results),
              writer(results, "writer", "The writer, into a file, until flushed, best of 3", f"{OURS}, text"),
              writer(results, "format", "Formats, into a file", None), writer(results, "sink", "Sinks", None), call_to_file(results)]
    return "\n\n".join(parts)


# MARK: writing


def write(collected, results):
    readme = HERE / "README.md"
    images = "\n\n".join(f"![{draw.__doc__.splitlines()[0]}]({name})" for name, draw in CHARTS.items())
    begin, end = "<!-- Benchmarks/run --write puts its figures here -->", "<!-- until here -->"
    text, count = re.subn(f"(?s){re.escape(begin)}.*{re.escape(end)}",
                          lambda _: f"{begin}\n\n{images}\n\n{markdown(results)}\n\n{end}", readme.read_text())
    if count != 1:
        sys.exit(f"{readme} has no place for the figures: expected the line {begin} and the line {end}")
    readme.write_text(text)
    (HERE / "results.json").write_text(as_json(collected) + "\n")
    for name, draw in CHARTS.items():
        (HERE / name).write_text(draw(results))


def main(arguments):
    match arguments:
        case ["--collect", lines]:
            print(as_json(collect(pathlib.Path(lines).read_text().splitlines())))
        case [file] | [file, "--write"]:
            collected = json.loads(pathlib.Path(file).read_text())
            results = Results(collected)
            print(markdown(results))
            if len(arguments) == 2:
                write(collected, results)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
