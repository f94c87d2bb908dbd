"""Images of data sets, the worst failures, and photos, as the page gets them."""

import base64
import io
import json

import numpy as np
import pytest

from digitlab.data import load
from web.serving import Served, ask


def table(served: Served, path: str, **options) -> tuple[int, dict]:
    status, _, body = ask(served, path, **options)
    return status, json.loads(body)


def test_image_by_number(served: Served) -> None:
    status, answer = table(served, "/api/images?source=digits&part=test&index=7")
    image, label = load("digits", part="test")[7]
    assert status == 200 and answer["label"] == label and answer["shape"] == [8, 8]
    assert base64.b64decode(answer["pixels"]) == image.tobytes()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("source=digits&part=test&index=100000", "expected 0 to"),
        ("source=digits&part=test&index=-1", "expected 0 to"),
        ("source=digits&part=test&index=x", "expected 0 to"),
        ("source=digits&part=other&index=0", "expected one of train, valid, test"),
        ("source=/etc&part=test&index=0", "the data set '/etc'"),
        ("source=../runs&part=test&index=0", "the data set '../runs'"),
    ],
)
def test_images_that_there_are_not(served: Served, query: str, message: str) -> None:
    status, answer = table(served, f"/api/images?{query}")
    assert status == 400 and message in answer["error"]


@pytest.mark.slow
def test_failures_are_wrong_and_the_surest_come_first(served: Served, mnist_splits) -> None:
    failures = table(served, "/api/failures")[1]["failures"]
    assert failures and all(f["label"] != f["predicted"] for f in failures)
    sure = [f["confidence"] for f in failures]
    assert sure == sorted(sure, reverse=True)
    first = failures[0]
    image = mnist_splits.test.images[first["index"]]
    assert base64.b64decode(first["pixels"]) == image.tobytes()
    assert served.play.network.predict(image[None]).argmax() == first["predicted"]


@pytest.mark.slow
def test_photo_is_read_as_read_does(served: Served) -> None:
    from PIL import Image

    from digitlab.data.synthetic.samples import draw_page
    from digitlab.reading import read_photo

    page = draw_page("clean", np.random.default_rng(3), lines=1, columns=3).image
    file = io.BytesIO()
    Image.fromarray(page).save(file, "PNG")
    status, answer = table(
        served, "/api/photo", method="POST", body=file.getvalue(), Content_Type="application/octet-stream"
    )
    reading = read_photo(served.play.network, page)
    assert status == 200 and answer["text"] == reading.text
    assert base64.b64decode(answer["digits"][0]["pixels"]) == reading.digits[0].image.tobytes()


def test_file_that_is_no_photo(served: Served) -> None:
    status, answer = table(
        served, "/api/photo", method="POST", body=b"%PDF-1.7", Content_Type="application/octet-stream"
    )
    assert status == 400 and answer["error"].startswith("the photo is a PDF document")
