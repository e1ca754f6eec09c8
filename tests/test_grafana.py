"""docs/grafana.json asks for metrics that the server has, and for labels that they have."""

import json
import pathlib
import re
import urllib.error
import urllib.request

import client_server
import pytest
import served

PANELS = pathlib.Path(__file__).parent.parent / "docs" / "grafana.json"


@pytest.fixture(scope="module")
def metrics(tmp_path_factory):
    """name → its labels, from /metrics of a server that answered one good and one bad request."""
    folder = tmp_path_factory.mktemp("grafana")
    served.export_mixed(folder / "mixed" / "1")
    (folder / "monitoring").write_text("prometheus_config { enable: true }")
    flags = ["--model_name=mixed", f"--model_base_path={folder / 'mixed'}", "--enable_batching"]
    with client_server.running(*flags, f"--monitoring_config_file={folder / 'monitoring'}") as app:
        url = f"http://{app.rest_address}"
        for inputs in ({"n": [1, 2]}, {"wrong": [1]}):
            body = json.dumps({"signature_name": "numbers", "inputs": inputs}).encode()
            try:
                urllib.request.urlopen(f"{url}/v1/models/mixed:predict", body).close()
            except urllib.error.HTTPError as error:
                error.close()
        with urllib.request.urlopen(f"{url}/monitoring/prometheus/metrics") as answer:
            text = answer.read().decode()
    found = {}
    for name, labels in re.findall(r"^(:[\w:]+)(?:\{(.*)\})? ", text, re.M):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


def expressions():
    """(expression, legend) of every panel."""
    panels = json.loads(PANELS.read_text(encoding="utf-8"))["panels"]
    return [(t["expr"], t["legendFormat"]) for panel in panels for t in panel["targets"]]


@pytest.mark.slow
@pytest.mark.tensorflow("a server")
@pytest.mark.parametrize("expression, legend", expressions())
def test_a_panel_asks_for_metrics_and_labels_of_the_server(metrics, expression, legend):
    named = re.findall(r":tensorflow:serving:[\w:]+", expression)
    assert named and set(named) <= set(metrics)
    grouped = [re.split(r",\s*", group) for group in re.findall(r"by \(([^)]*)\)", expression)]
    shown = re.findall(r"\{\{(\w+)\}\}", legend)
    chosen = re.findall(r'(\w+)!?="', expression)
    for label in {*sum(grouped, []), *shown, *chosen}:
        assert all(label in metrics[name] for name in named), label
    # A legend shows what the expression groups by; "le" is summed up in the quantile.
    assert set(shown) <= set(sum(grouped, []))


def test_a_share_is_zero_before_the_first_failure_has_made_its_series():
    (share,) = [text for text, _ in expressions() if 'status!="OK"' in text]
    counted = "sum by (model_name) (rate(:tensorflow:serving:request_count[$__rate_interval]))"
    assert share.endswith(f" / {counted} or 0 * {counted}")


def test_the_panels_have_places_and_ids_of_their_own():
    board = json.loads(PANELS.read_text(encoding="utf-8"))
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
    assert len(set(places)) == len({p["id"] for p in board["panels"]}) == len(board["panels"])
    (source,) = board["templating"]["list"]
    assert all(p["datasource"]["uid"] == f"${{{source['name']}}}" for p in board["panels"])
