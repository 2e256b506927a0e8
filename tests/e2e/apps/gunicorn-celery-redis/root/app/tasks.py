"""One task, through redis."""

from celery import Celery

app = Celery("tasks", broker="redis://127.0.0.1/0", backend="redis://127.0.0.1/1")


@app.task
def multiply(a: int, b: int) -> int:
    return a * b
