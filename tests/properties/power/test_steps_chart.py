"""The chart."""

from __future__ import annotations

from xml.etree import ElementTree

from radixproof.properties.power.steps_chart import chart


def test_the_chart_rises_once_for_every_bug() -> None:
    root = ElementTree.fromstring(chart("A & B", {"soak": [1, 10, 100], "<none>": []}, 3, 1_000))
    paths = [
        path.get("d", "")
        for path in root.iter("{http://www.w3.org/2000/svg}path")
        if path.get("stroke-width") == "2"
    ]
    assert [path.count("V") for path in paths] == [3, 0]
    assert "<none>: 0" in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
