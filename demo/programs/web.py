"""A web server on 127.0.0.1 for the demo without images: counts its visits, and says so when it is told to stop."""

import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType

visits = 0


class Page(BaseHTTPRequestHandler):
    """GET / answers the number of visits."""

    def do_GET(self) -> None:
        global visits
        visits += 1
        body = f"{visits} visits\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silence: thousands of requests would only push the interesting lines out."""


def leave(signum: int, frame: FrameType | None) -> None:
    print(f"the web server was told to stop after {visits} visits", flush=True)
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, leave)
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
