"""Fetches the files of other projects that the GraphiQL page needs from npm, and gathers their licences.

Run by hand after a change of PACKAGES: `python3 api/static/graphiql/vendor/update.py`. Needs npm; the product itself does not.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent

# GraphiQL 5 and React 19 ship no ready browser bundle, and built they weigh three times as much;
# GraphiQL 4 loses a panel that is to be open from the start.
PACKAGES = {
    "react": "18.3.1",
    "react-dom": "18.3.1",
    "graphiql": "3.9.0",
    "@graphiql/plugin-explorer": "3.2.6",
    "graphql": "16.15.0",
    "graphql-ws": "6.4.2",
}
FILES = {
    "react.js": "react/umd/react.production.min.js",
    "react-dom.js": "react-dom/umd/react-dom.production.min.js",
    "graphiql.js": "graphiql/graphiql.min.js",
    "graphiql.css": "graphiql/graphiql.min.css",
    "graphiql-explorer.js": "@graphiql/plugin-explorer/dist/index.umd.js",
    "graphiql-explorer.css": "@graphiql/plugin-explorer/dist/style.css",
    "graphql-ws.js": "graphql-ws/umd/graphql-ws.min.js",
}
# What the bundles hold besides, where the source map of GraphiQL does not say so itself.
WITHIN = {"scheduler", "graphiql-explorer", "codemirror-graphql", "graphql-language-service", "@graphiql/react", "@graphiql/toolkit"}


def without_fonts(style: str) -> str:
    """The style sheet without its embedded fonts, seven eighths of it; pages fall back to the system's own, which have Chinese."""
    return re.sub(r"@font-face\s*\{[^}]*\}\s*", "", style)


def without_source_map(script: str) -> str:
    """The script without the address of its source map, which is not kept here and would be asked for in vain."""
    return re.sub(r"\n?//# sourceMappingURL=\S+\s*$", "\n", script)


def bundled(modules: Path) -> set[str]:
    """The names of all packages of which code stands in the vendored files."""
    sources = json.loads((modules / "graphiql/graphiql.min.js.map").read_text(encoding="utf-8"))["sources"]
    inside = {name for source in sources for name in re.findall(r"node_modules/((?:@[^/]+/)?[^/]+)/", source)}
    return inside | PACKAGES.keys() | WITHIN


def licences(modules: Path) -> str:
    """Every bundled package with its copyright lines, grouped under each distinct licence text."""
    names = bundled(modules)
    holders: dict[str, list[str]] = defaultdict(list)
    texts: dict[str, str] = {}
    for manifest in sorted(modules.rglob("package.json")):
        about = json.loads(manifest.read_text(encoding="utf-8"))
        if about.get("name") not in names:
            continue
        found = sorted(each for each in manifest.parent.iterdir() if re.match(r"licen[cs]e", each.name, re.IGNORECASE))
        lines = found[0].read_text(encoding="utf-8").splitlines() if found else [f"License: {about.get('license', 'MIT')}"]
        copyrights = [line.strip() for line in lines if re.match(r"\s*(copyright\b.*(\(c\)|©|\d{4})|©)", line, re.IGNORECASE)]
        body = "\n".join(line.rstrip() for line in lines if line.strip() not in copyrights).strip()
        key = re.sub(r"\W+", "", body).lower()
        texts.setdefault(key, body)
        entry = "\n    ".join([about["name"], *copyrights])
        if entry not in holders[key]:
            holders[key].append(entry)
    rule = "\n\n" + "=" * 80 + "\n\n"
    return rule.join("\n".join(holders[key]) + "\n\n" + texts[key] for key in sorted(holders, key=lambda key: -len(holders[key]))) + "\n"


def main() -> None:
    """Replaces the vendored files by those of PACKAGES."""
    with tempfile.TemporaryDirectory() as place:
        wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
        subprocess.run(["npm", "install", "--ignore-scripts", "--no-save", "--legacy-peer-deps", "--prefix", place, *wanted], check=True)
        modules = Path(place) / "node_modules"
        for name, source in FILES.items():
            text = (modules / source).read_text(encoding="utf-8")
            (HERE / name).write_text(without_fonts(text) if name.endswith(".css") else without_source_map(text), encoding="utf-8")
        (HERE / "LICENCES.txt").write_text(licences(modules), encoding="utf-8")


if __name__ == "__main__":
    main()
