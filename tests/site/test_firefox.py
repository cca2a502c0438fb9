"""The site in a second engine: loaded once in Firefox, then used without a network.

Firefox is started as a reader has it, with no protocol to drive it: a page of the test's own,
beside the site, does what a reader would do and posts what came of it.
"""

import json
import os
import queue
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler

import pytest
from test_offline import Site

from bench.tab import arguments, find_browser
from lite.serve import Server

ENGINES = os.environ.get("TINYTORCH_ENGINES", "chromium,firefox").split(",")
PATIENCE = 180  # seconds
OWN = ("/probe.html", "/probe.js", "/service-worker.js")  # answered also without a network
PAGE = """<!DOCTYPE html><meta charset="utf-8"><title>probe</title>
<span data-offline="all"></span>
<script src="_static/offline.js"></script><script src="probe.js"></script>"""
PROBE = """
const tell = (what) => fetch("report", { method: "POST", body: JSON.stringify(what) });
const until = async (condition) => {
  for (let value; ; await new Promise((next) => setTimeout(next, 200))) {
    if ((value = condition())) return value;
  }
};
async function run(frame, code) {
  const { kernel } = frame.contentWindow.jupyterapp.shell.currentWidget.sessionContext.session;
  const future = kernel.requestExecute({ code });
  let out = "";
  future.onIOPub = ({ content }) => (out += content.text ?? content.evalue ?? "");
  await future.done;
  return out;
}
// As when the browser ends before it has noted that all is here.
async function behind() {
  const builds = await caches.open("tinytorch / builds");
  const [key] = await builds.keys();
  const record = await (await builds.match(key)).json();
  await builds.put(key, new Response(JSON.stringify({ ...record, complete: false })));
}
async function main() {
  await until(() => document.querySelector('[data-offline][data-state="ready"]'));
  const { code } = await (await tell({ ready: true })).json();
  const frame = document.createElement("iframe");
  frame.src = "lite/notebooks/index.html?path=03_layers.ipynb";
  frame.style.cssText = "width: 1200px; height: 800px";
  document.body.append(frame);
  await until(() => frame.contentDocument?.querySelector("body.tt-ready"));
  const printed = await run(frame, code);
  await behind();
  await tell({ printed });
}
main().catch((error) => tell({ printed: String(error) }));
"""


class Offline(Site):
    """A site whose server, once `cut`, answers for nothing but the test's own page."""

    def start(self):
        self.cut, self.code, self.told, self.asked = False, "", queue.Queue(), []
        site = self

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                if site.cut and self.path not in OWN:
                    site.asked.append(self.path)
                    self.close_connection = True
                    return
                super().do_GET()

            def do_POST(self):
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                site.cut = True  # before the answer: from here on there is no network
                site.told.put(said)
                answer = json.dumps({"code": site.code}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        self.running = Server(("127.0.0.1", 0), partial(Handler, directory=str(self.folder)))
        self.port = self.running.server_port
        threading.Thread(target=self.running.serve_forever, daemon=True).start()


@pytest.mark.skipif("firefox" not in ENGINES, reason="no Firefox on this kind of machine")
def test_a_notebook_runs_and_keeps_its_files_without_a_network(tmp_path):
    firefox = find_browser("firefox")
    assert firefox, "Firefox is not installed. On Debian: apt-get install firefox-esr"
    site = Offline(tmp_path / "own", "")
    (site.root / "probe.html").write_text(PAGE, encoding="utf-8")
    (site.root / "probe.js").write_text(PROBE, encoding="utf-8")
    site.start()
    profile = tmp_path / "profile"
    profile.mkdir()
    write = "p.write_text('é'); print(tinytorch.Linear(2, 3)(tinytorch.ones(1, 2)).shape)"
    visits = [(write, "(1, 3)\n"), ("print(p.read_text())", "é\n")]  # the second: started again
    try:
        for code, printed in visits:
            site.code = f"from pathlib import Path; p = Path('/drive/note.txt'); {code}"
            command = [firefox, *arguments("firefox", profile), f"{site.url}/probe.html"]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            with subprocess.Popen(command, **quiet) as browser:
                try:
                    assert site.told.get(timeout=PATIENCE) == {"ready": True}
                    assert site.told.get(timeout=PATIENCE) == {"printed": printed}
                    assert site.asked == []
                finally:
                    browser.terminate()
    finally:
        site.stop()
