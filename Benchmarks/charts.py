"""Draws the charts of the benchmarks as SVG: plain shapes, and colours for light and dark pages."""
import math
from html import escape

OURS = "TreeRing"
COLOURS = ["ours", "blue", "orange", "purple", "pink", "grey"]
STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #57606a }
.title { font-weight: 600; font-size: 13px; fill: #24292f }
.value { font-variant-numeric: tabular-nums; fill: #24292f }
.grid { stroke: #d0d7de; stroke-width: 1 }
.line { stroke-width: 2; fill: none }
.area { fill-opacity: .22; stroke-width: 1.5 }
.ours { fill: #1a7f37; stroke: #1a7f37 } .blue { fill: #0969da; stroke: #0969da } .orange { fill: #bc4c00; stroke: #bc4c00 }
.purple { fill: #8250df; stroke: #8250df } .pink { fill: #bf3989; stroke: #bf3989 } .grey { fill: #6e7781; stroke: #6e7781 }
@media (prefers-color-scheme: dark) {
text { fill: #8d96a0 } .title, .value { fill: #e6edf3 } .grid { stroke: #30363d }
.ours { fill: #3fb950; stroke: #3fb950 } .blue { fill: #58a6ff; stroke: #58a6ff } .orange { fill: #f0883e; stroke: #f0883e }
.purple { fill: #bc8cff; stroke: #bc8cff } .pink { fill: #f778ba; stroke: #f778ba } .grey { fill: #8b949e; stroke: #8b949e }
}
</style>"""
WIDTH = 800


class Canvas:
    """SVG elements, and how they are spelled."""

    def __init__(self, height, title):
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(title)}">', STYLE]

    def text(self, x, y, words, kind="", anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>')

    def line(self, x1, y1, x2, y2, kind):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def bar(self, x, y, width, height, kind):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height}" rx="2" class="{kind}"/>')

    def dot(self, x, y, kind, radius=4):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{kind}"/>')

    def shape(self, points, kind):
        self.parts.append(f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" class="{kind}"/>')

    def __str__(self):
        return "\n".join(self.parts + ["</svg>"]) + "\n"


class Axis:
    """Nanoseconds from left to right, each decade as wide as the others."""

    def __init__(self, left, right, first, last):
        self.left, self.right = left, right
        self.low, self.high = math.log10(first), math.log10(last)

    def __call__(self, nanoseconds):
        share = (math.log10(max(nanoseconds, 10**self.low)) - self.low) / (self.high - self.low)
        return self.left + min(share, 1) * (self.right - self.left)

    def draw(self, canvas, top, bottom):
        for power in range(math.ceil(self.low), math.floor(self.high) + 1):
            x = self(10**power)
            canvas.line(x, top, x, bottom, "grid")
            canvas.text(x, bottom + 16, duration(10**power), anchor="middle")


def duration(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def colours(results):
    """A colour for each logger, the same in every chart."""
    names = [OURS] + [name for name in results.loggers("in a row", 1) if name != OURS]
    return {name: COLOURS[min(index, len(COLOURS) - 1)] for index, name in enumerate(names)}


def legend(canvas, kinds, y):
    x = 20
    for name, kind in kinds.items():
        canvas.dot(x, y - 4, kind, 5)
        canvas.text(x + 10, y, name)
        x += 30 + 6.6 * len(name)


def calls(results):
    """How long single calls take: the share of calls by their time."""
    kinds = colours(results)
    canvas = Canvas(440, calls.__doc__)
    legend(canvas, kinds, 22)
    for index, (question, words) in enumerate((("spaced", "20 calls 2 ms apart, 1 thread"), ("in a row", "1,000 calls in a row, 1 thread"))):
        top, bottom = 62 + index * 195, 195 + index * 195
        axis = Axis(20, WIDTH - 30, 4, 1e7)
        axis.draw(canvas, top, bottom)
        canvas.text(20, top - 8, words, "title")
        for name in reversed(kinds):
            distribution(canvas, axis, results.subjects(f"{question} histogram").get(name, {}), kinds[name], top, bottom)
    return str(canvas)


def distribution(canvas, axis, shares, kind, top, bottom):
    """A step for each doubling of time."""
    points = []
    for end in sorted(map(float, shares)):
        y = bottom - shares[f"{end:.0f}"] / 100 * (bottom - top)
        left = axis(end / 2)
        if points and points[-1][0] < left:
            points += [(points[-1][0], bottom), (left, bottom)]
        points += [(left, y), (axis(end), y)]
    if points:
        canvas.shape([(points[0][0], bottom)] + points + [(points[-1][0], bottom)], f"area {kind}")


def percentiles(results):
    """What a single call costs: dots at p50, p90, p99 and p99.9."""
    kinds = colours(results)
    situations = [(question, threads) for threads in sorted({1, results.many}) for question in ("spaced", "in a row")]
    height = 60 + sum(34 + 20 * len(results.loggers(*situation)) for situation in situations)
    canvas = Canvas(height, percentiles.__doc__)
    axis = Axis(220, WIDTH - 30, 4, 1e7)
    axis.draw(canvas, 20, height - 30)
    y = 14
    for question, threads in situations:
        words = "20 calls 2 ms apart" if question == "spaced" else "1,000 calls in a row"
        y += 20
        canvas.text(20, y + 4, f"{words}, {threads} thread{'s' if threads > 1 else ''}", "title")
        for name in results.loggers(question, threads):
            y += 20
            spread(canvas, axis, results.subjects(question, threads)[name], y, kinds.get(name, "grey"))
            canvas.text(30, y + 4, name)
        y += 14
    return str(canvas)


def spread(canvas, axis, figures, y, kind):
    marks = [axis(figures[figure]) for figure in ("p50", "p90", "p99", "p99.9")]
    canvas.line(marks[0], y, marks[-1], y, f"line {kind}")
    for index, x in enumerate(marks):
        canvas.dot(x, y, kind, 5 - index)


def throughput(results):
    """Records a second that reach their destination."""
    groups = [("writer", "The writer, into a file"), ("format", "Formats, into a file"), ("sink", "Sinks")]
    rows = [(title, results.subjects(question)) for question, title in groups]
    fastest = max((figures["records per second"] for _, subjects in rows for figures in subjects.values()), default=1)
    canvas = Canvas(20 + sum(34 + 22 * len(subjects) for _, subjects in rows), throughput.__doc__)
    y = 0
    for title, subjects in rows:
        y += 24
        canvas.text(20, y, title, "title")
        for name, figures in subjects.items():
            y += 22
            rate = figures["records per second"]
            ours = title != groups[0][1] or name.startswith(OURS)
            canvas.text(30, y, name)
            canvas.bar(220, y - 12, rate / fastest * 480, 16, "ours" if ours else "grey")
            canvas.text(228 + rate / fastest * 480, y, f"{rate / 1e6:.2f} M/s", "value")
        y += 10
    return str(canvas)
