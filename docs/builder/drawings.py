"""The drawings of docs/how-it-works.md: `python docs/builder/drawings.py` writes them into docs/pictures/.

SVG with a ground of its own, so that it is read on light pages and dark ones, on GitHub and on the site.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
INK, SOFT, GROUND = "#1f2430", "#5c6475", "#fbfaf7"
OURS, THEIRS, DATA, WRONG = "#d9ecff", "#e8e6e1", "#fff1cf", "#ffdcd3"  # fills of boxes
LETTERS = 'font-family="Helvetica, Arial, DejaVu Sans, sans-serif"'


class Drawing:
    """Boxes, words and arrows on a sheet; all lengths are in its own units, about pixels."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.size = width, height
        self.title = title
        self.parts: list[str] = []

    def box(
        self, x: float, y: float, width: float, height: float, lines: list[str], fill: str = OURS
    ) -> None:
        """A box with words in its middle, the first line bold."""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="7" fill="{fill}"'
            f' stroke="{SOFT}"/>'
        )
        top = y + height / 2 - 9 * (len(lines) - 1) + 5
        for number, line in enumerate(lines):
            self.words(x + width / 2, top + 18 * number, line, bold=number == 0, middle=True)

    def words(
        self,
        x: float,
        y: float,
        text: str,
        *,
        bold: bool = False,
        middle: bool = False,
        soft: bool = False,
        small: bool = False,
    ) -> None:
        """A line of text; `y` is its baseline."""
        style = f'fill="{SOFT if soft else INK}" font-size="{12 if small else 14}"'
        style += ' font-weight="bold"' if bold else ""
        style += ' text-anchor="middle"' if middle else ""
        self.parts.append(f'<text x="{x:g}" y="{y:g}" {style}>{escape(text)}</text>')

    def arrow(self, *points: tuple[float, float], dashed: bool = False) -> None:
        """A line through points, with a head at its end."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(
            f'<polyline points="{path}" fill="none" stroke="{INK}" stroke-width="1.6"{dash}'
            ' marker-end="url(#head)"/>'
        )

    def svg(self) -> str:
        """The whole file."""
        width, height = self.size
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
            f' height="{height}" role="img" {LETTERS}>\n<title>{escape(self.title)}</title>\n'
            '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"'
            f' orient="auto-start-reverse"><path d="M0,0 L10,5 L0,10 z" fill="{INK}"/></marker></defs>\n'
            f'<rect width="{width}" height="{height}" rx="12" fill="{GROUND}"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


def overlay() -> Drawing:
    """Which `ts` an import finds."""
    sheet = Drawing(880, 330, "Where a worker of TorchServe finds what it imports")
    sheet.box(20, 120, 190, 90, ["TorchServe's worker", "imports ts.…"], THEIRS)
    sheet.words(270, 32, "site-packages/_torchserve_handlers/ts", bold=True)
    sheet.words(270, 50, "put first on sys.path by a .pth file", soft=True, small=True)
    for number, name in enumerate(("ts.torch_handler", "ts.handler_utils", "ts.utils", "ts.runner")):
        sheet.box(270 + 148 * number, 62, 138, 52, [name])
    sheet.words(270, 196, "site-packages/ts", bold=True)
    sheet.words(
        270,
        214,
        "torchserve's own, untouched; found where the first has no such module",
        soft=True,
        small=True,
    )
    for number, name in enumerate(("ts.model_server", "ts.context", "ts.metrics", "…")):
        sheet.box(270 + 148 * number, 226, 138, 52, [name], THEIRS)
    sheet.arrow((210, 150), (238, 150), (238, 88), (266, 88))
    sheet.arrow((210, 180), (238, 180), (238, 252), (266, 252))
    sheet.words(
        20, 312, "TORCHSERVE_HANDLERS=off leaves the first one out; pip uninstall takes it away.", soft=True
    )
    return sheet


def request() -> Drawing:
    """The way of a batch, and of a row of it that fails."""
    sheet = Drawing(880, 366, "The way of a batch through a handler")
    sheet.box(20, 40, 120, 60, ["server", "forms a batch"], THEIRS)
    hooks = (
        ("preprocess", "reads, scales"),
        ("inference", "runs the model"),
        ("postprocess", "makes answers"),
    )
    between = ("rows", "batch", "model output", "results")
    for number, (name, does) in enumerate(hooks):
        sheet.box(222 + 190 * number, 40, 118, 60, [name, does])
    sheet.box(778, 40, 84, 60, ["answers", "encoded"], THEIRS)
    for number, name in enumerate(between):
        end = 774 if number == 3 else 218 + 190 * number
        start = 144 if number == 0 else 344 + 190 * (number - 1)
        sheet.arrow((start, 70), (end, 70))
        sheet.words((start + end) / 2, 122, name, middle=True, soft=True, small=True)
    sheet.words(20, 168, "One row, one fate: four requests, of which the third is no image", bold=True)
    for number, name in enumerate(("photo", "photo", "no image", "photo")):
        fill = WRONG if number == 2 else DATA
        sheet.box(20, 184 + 44 * number, 120, 34, [name], fill)
        if number == 2:
            sheet.arrow((144, 289), (218, 289))
            sheet.box(222, 272, 366, 34, ["400 of its own, which says what was wrong"], WRONG)
    sheet.arrow((144, 201), (604, 201), (604, 228), (640, 228))
    sheet.arrow((144, 245), (640, 245))
    sheet.arrow((144, 333), (604, 333), (604, 262), (640, 262))
    sheet.box(
        644, 206, 218, 78, ["one batch without it", "the answers that they", "would have had alone"], DATA
    )
    return sheet


def rooms() -> Drawing:
    """The folders of the source, each of which imports from those below it only."""
    sheet = Drawing(880, 470, "The source, floor by floor: imports go down")
    floors = (
        ("ts/runner/", "archives answered without TorchServe", _folders("ts/runner")),
        ("ts/torch_handler/", "the handlers: a file, a class each", _files("ts/torch_handler")),
        ("ts/handler_utils/", "what handlers are made of", _folders("ts/handler_utils")),
        ("ts/utils/", "small shared pieces", _files("ts/utils")),
    )
    y = 20.0
    for number, (name, about, names) in enumerate(floors):
        lines = -(-len(names) // 5)
        height = 46 + 36 * lines
        sheet.parts.append(
            f'<rect x="20" y="{y:g}" width="688" height="{height}" rx="9" fill="{OURS}" stroke="{SOFT}"/>'
        )
        sheet.words(34, y + 24, name, bold=True)
        sheet.words(190, y + 24, about, soft=True)
        for index, room in enumerate(names):
            left, top = 34 + 134 * (index % 5), y + 36 + 36 * (index // 5)
            sheet.box(left, top, 126, 28, [], GROUND)
            sheet.words(left + 63, top + 18, room, middle=True, small=True)
        if number < len(floors) - 1:
            sheet.arrow((365, y + height), (365, y + height + 18))
        y += height + 20
    sheet.box(
        730, 20, 130, y - 40, ["model-archiver/", "the archiver:", "the standard", "library only"], DATA
    )
    sheet.size = 880, int(y)
    return sheet


def _folders(below: str) -> list[str]:
    return sorted(path.parent.name for path in (ROOT / below).glob("*/__init__.py"))


def _files(below: str) -> list[str]:
    return sorted(path.stem for path in (ROOT / below).glob("*.py") if path.stem != "__init__")


DRAWINGS = {"overlay.svg": overlay, "request.svg": request, "rooms.svg": rooms}

if __name__ == "__main__":
    for name, draw in DRAWINGS.items():
        (PICTURES / name).write_text(draw().svg(), encoding="utf-8")
