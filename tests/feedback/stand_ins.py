"""Runs the real `up` with the real Postgres and Valkey, but with light stand-ins for Django's four programs.

A script and not a test: `test_up.py` starts it, kills parts of it and looks at what comes back.
"""

import http.server
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    role = sys.argv[1] if len(sys.argv) > 1 else "up"
    if role == "web":
        http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Ready).serve_forever()
    elif role == "worker":
        os.fork()  # like a prefork pool: somebody who must not outlive the worker
        signal.pause()
    elif role == "beat":
        signal.pause()
    else:
        from feedback.embedded import programs, up

        me = [sys.executable, str(Path(__file__).resolve())]
        programs.schema_command = lambda: [sys.executable, "-c", "print('staff admin correct-horse')"]
        programs.web_command = lambda _host, port: [*me, "web", str(port)]
        programs.worker_command = lambda *, concurrency: [*me, "worker"]
        programs.beat_command = lambda _schedule: [*me, "beat"]
        sys.exit(up.main())


if __name__ == "__main__":
    main()
