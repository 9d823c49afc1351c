"""The frame of a report: its style sheet, readable on a wide screen, a narrow one and on paper, its head, its scripts and its foot."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from .html import text
from .vendored import script, script_hash

__all__ = ["CSS", "document", "footer"]

CSS = """
:root {
  color-scheme: light;
  --ink: #1f2933; --muted: #5f6c79; --line: #dfe4e9; --soft: #f5f7f9; --gain: #0b6b5d; --loss: #a63a2c;
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: #fff; color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 28px 24px 48px; }
h1 { margin: 0; font-size: 26px; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 40px 0 10px; padding-bottom: 6px; border-bottom: 1px solid var(--line); font-size: 18px; }
h3 { margin: 0 0 6px; color: var(--muted); font-size: 12px; letter-spacing: .06em; text-transform: uppercase; }
p { margin: 6px 0 12px; }
.sub { margin-bottom: 4px; }
.sub, .note { color: var(--muted); }
.note { font-size: 13px; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 10px; margin: 22px 0 6px; }
.tiles div { padding: 12px 14px; border: 1px solid var(--line); border-radius: 8px; background: var(--soft); }
.tiles b { display: block; font-size: 21px; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--muted); font-size: 12.5px; }
.gain { color: var(--gain); } .loss { color: var(--loss); }
figure { margin: 22px 0 0; }
figure img { display: block; width: 100%; height: auto; }
.chart { width: 100%; }
figure img.printed { display: none; }
.lead { margin: 14px 0 0; max-width: 46em; font-size: 16px; }
nav { margin: 20px 0 0; font-size: 13px; }
nav a { display: inline-block; margin: 0 14px 4px 0; color: #1b5e8c; text-decoration: none; }
nav a:hover { text-decoration: underline; }
button {
  padding: 3px 10px; border: 1px solid var(--line); border-radius: 6px; background: #fff; color: var(--ink);
  font: inherit; font-size: 12.5px; cursor: pointer;
}
button[aria-pressed="true"] { border-color: #1b5e8c; background: #e8f0f5; }
.bar { display: flex; justify-content: space-between; align-items: baseline; gap: 12px; flex-wrap: wrap; }
.evidence { margin: 18px 0 0; padding: 12px 14px; border: 1px solid var(--line); border-left: 4px solid #1b5e8c; border-radius: 8px; }
.evidence.none { border-left-color: var(--line); color: var(--muted); }
.evidence p { max-width: 56em; overflow-wrap: anywhere; }
.legend span { margin-right: 12px; white-space: nowrap; }
.legend i {
  display: inline-block; width: 12px; height: 12px; margin-right: 5px; border: 1px solid var(--line); border-radius: 3px;
  vertical-align: -1px;
}
.months { table-layout: fixed; font-size: 12.5px; }
.months th, .months td { padding: 4px 3px; border: 1px solid #fff; text-align: right; white-space: nowrap; }
.months thead th { font-size: 11.5px; }
.months tbody th { text-align: left; }
.months .year { font-weight: 600; }
.costs .why { color: var(--muted); padding-left: 14px; }
.costs th { width: 190px; font-weight: 400; }
.costs td.n { width: 110px; }
.costs thead th { width: auto; }
.cards { columns: 3 270px; column-gap: 34px; margin-top: 14px; }
.cards > section { break-inside: avoid; padding-bottom: 20px; }
table { width: 100%; border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; }
thead th { color: var(--muted); font-size: 12px; white-space: nowrap; }
td.n, th.n { padding-right: 0; padding-left: 14px; text-align: right; white-space: nowrap; }
td.n + td:not(.n), th.n + th:not(.n) { padding-left: 14px; }
.cards th { font-weight: 400; }
.scroll { overflow-x: auto; }
.scroll td, .scroll th { white-space: nowrap; }
.scroll .versus th { font-weight: 400; }
.scroll .versus thead th { min-width: 84px; white-space: normal; vertical-align: bottom; overflow-wrap: anywhere; }
.scroll .versus td { white-space: normal; overflow-wrap: anywhere; }
.rest td { padding: 8px 0; color: var(--muted); }
.facts { margin-bottom: 22px; }
.facts th { width: 190px; font-weight: 400; }
.facts td { overflow-wrap: anywhere; }
.facts .why { width: 46%; color: var(--muted); }
footer {
  margin-top: 44px; padding-top: 12px; border-top: 1px solid var(--line);
  color: var(--muted); font-size: 12.5px; overflow-wrap: anywhere;
}
@media (max-width: 640px) {
  body { font-size: 14.5px; }
  main { padding: 18px 14px 32px; }
  h1 { font-size: 21px; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 8px; }
  .tiles b { font-size: 18px; }
  .lead { font-size: 15px; }
  .depths { font-size: 12.5px; }
  .depths th:nth-child(n+6), .depths td:nth-child(n+6) { display: none; }
  .costs th { width: auto; }
  .costs td.n { width: auto; padding-left: 6px; }
  .costs .why { padding-left: 8px; font-size: 12px; }
  .months { font-size: 9px; letter-spacing: -.03em; }
  .months th, .months td { padding: 3px 1px; }
  .months thead th { font-size: 8.5px; letter-spacing: 0; }
  .facts, .facts tbody { display: block; }
  .facts tr { display: grid; grid-template-columns: 38% 1fr; column-gap: 10px; padding: 5px 0; border-bottom: 1px solid var(--line); }
  .facts th, .facts td { width: auto; padding: 0; border: 0; }
  .facts th { color: var(--muted); overflow-wrap: anywhere; }
  .facts .why { grid-column: 2; width: auto; font-size: 12.5px; }
}
@media print {
  @page { margin: 14mm; }
  body { font-size: 11px; }
  main { max-width: none; padding: 0; }
  h2, h3 { break-after: avoid; }
  h2 { margin-top: 22px; }
  table { font-size: 10px; }
  th, td { padding-top: 2px; padding-bottom: 2px; }
  figure, .tiles, section, tr { break-inside: avoid; }
  .chart, nav, button, .hint { display: none; }
  figure img.printed { display: block; }
  body { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .scroll { overflow: visible; }
  .scroll table { font-size: 8.5px; }
  .scroll td, .scroll th { padding-right: 4px; }
  .scroll td.n, .scroll th.n { padding-left: 4px; }
}
"""


def document(title: str, parts: Iterable[str], *, data: str = "", scripts: Iterable[str] = ()) -> str:
    """The whole page as text, of finished parts.

    Parameters
    ----------
    title : str
        Escaped here.
    parts : iterable of str
        HTML.
    data : str
        A block of values for the scripts, as `vendored.data_block` makes it.
    scripts : iterable of str
        Code, run in order at the end of the page. With any, the page tells the browser to run these and nothing else, and to load nothing.
    """
    codes = list(scripts)
    policy = ""
    if codes:
        sources = " ".join(script_hash(code) for code in codes)
        rules = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {sources}; base-uri 'none'; form-action 'none'"
        policy = f'<meta http-equiv="Content-Security-Policy" content="{rules}">\n'
    head = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'{policy}<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{CSS}</style>\n</head>\n"
    )
    body = "\n".join(parts)
    ending = "".join(f"{part}\n" for part in ([data] if data else []) + [script(code) for code in codes])
    return f"{head}<body>\n<main>\n{body}\n</main>\n{ending}</body>\n</html>\n"


def footer(content_hash: str, words: str) -> str:
    """What made the page, and of which data."""
    version = sys.modules[__name__.partition(".")[0]].__version__  # the package above imports from here, not the reverse
    return f"<footer>vecbt {text(version)} · {text(words)} · data {text(content_hash)}</footer>"
