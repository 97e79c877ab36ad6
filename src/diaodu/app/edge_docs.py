"""The page at /docs: the operations of ``/openapi.json`` in one table, without any request to the outside."""

from fastapi import Response

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>diaodu · API</title><style>
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1d2433}
h2{margin:2rem 0 .3rem;font-size:1.05rem}table{border-collapse:collapse;width:100%}
td{border-top:1px solid #dde3ec;padding:.35rem .5rem;vertical-align:top}td:first-child{font-weight:600;width:5rem}
code{font-size:.92em}.q{color:#5b6678}</style></head><body>
<h1>diaodu 调度 · API</h1>
<p>Send <code>Authorization: Bearer &lt;token&gt;</code>; errors come in <code>Accept-Language: zh</code> or
<code>en</code>. The machine-readable form is <a href="openapi.json">openapi.json</a>.</p><main></main>
<script>
fetch("openapi.json").then(r => r.json()).then(api => {
  const main = document.querySelector("main"), tables = {};
  const add = (parent, tag, text) => { const e = parent.appendChild(document.createElement(tag));
    e.textContent = text || ""; return e; };
  for (const [path, verbs] of Object.entries(api.paths)) for (const [verb, o] of Object.entries(verbs)) {
    const tag = (o.tags || ["server"])[0];
    if (!tables[tag]) { add(main, "h2", tag); tables[tag] = add(main, "table"); }
    const row = add(tables[tag], "tr"); add(row, "td", verb.toUpperCase());
    const cell = add(row, "td"); add(cell, "code", path);
    for (const p of o.parameters || []) if (p.in === "query") {
      const line = add(cell, "div"); line.className = "q"; add(line, "code", p.name);
      line.append(" " + (p.description || "")); }
  }
});
</script></body></html>"""


def docs_page() -> Response:
    """The page, with a policy that forbids every request but to this server."""
    policy = "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
    return Response(_PAGE, media_type="text/html", headers={"Content-Security-Policy": policy})
