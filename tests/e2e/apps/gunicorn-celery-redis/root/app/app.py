"""GET / lets a celery worker multiply."""

from tasks import multiply


def application(environ, start_response):
    answer = multiply.delay(6, 7).get(timeout=20)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"celery says {answer}".encode()]
