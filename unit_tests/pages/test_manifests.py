"""The manifests of docs/migrating.md: their fields are known, and their parts fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pages import blocks

# As the API of Kubernetes 1.31 and of KServe 0.16 have them.
FIELDS = {
    "apiVersion",
    "kind",
    "metadata",
    "spec",
    "name",
    "labels",
    "replicas",
    "selector",
    "matchLabels",
    "template",
    "containers",
    "image",
    "args",
    "env",
    "value",
    "ports",
    "containerPort",
    "port",
    "targetPort",
    "readinessProbe",
    "httpGet",
    "path",
    "periodSeconds",
    "volumeMounts",
    "mountPath",
    "readOnly",
    "volumes",
    "persistentVolumeClaim",
    "claimName",
    "resources",
    "requests",
    "limits",
    "cpu",
    "memory",
    "supportedModelFormats",
    "version",
    "protocolVersions",
    "predictor",
    "canaryTrafficPercent",
    "model",
    "runtime",
    "modelFormat",
    "protocolVersion",
    "storageUri",
}
OWN = {"app", "track", "serviceEnvelope"}  # names of labels


def manifests() -> list[dict[str, Any]]:
    texts = [block.text for block in blocks("yaml") if block.page == "docs/migrating.md"]
    found = [document for text in texts for document in yaml.safe_load_all(text)]
    return [document for document in found if "apiVersion" in document]


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys(item)


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [found for found in manifests() if found["kind"] == kind]


def test_every_field_is_known() -> None:
    assert len(manifests()) == 5
    assert {key for manifest in manifests() for key in keys(manifest)} <= FIELDS | OWN


@pytest.mark.parametrize("deployment", of_kind("Deployment"), ids=lambda found: found["metadata"]["name"])
def test_a_deployment_fits_together(deployment: dict[str, Any]) -> None:
    spec, (service,) = deployment["spec"], of_kind("Service")
    labels, pod = spec["template"]["metadata"]["labels"], spec["template"]["spec"]
    (container,) = pod["containers"]
    assert spec["selector"]["matchLabels"] == labels
    assert service["spec"]["selector"].items() <= labels.items()
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod["volumes"]
    }
    ports = {port["name"] for port in container["ports"]}
    assert {
        container["readinessProbe"]["httpGet"]["port"],
        service["spec"]["ports"][0]["targetPort"],
    } == ports


def test_the_two_deployments_are_told_apart() -> None:
    tracks = [found["spec"]["selector"]["matchLabels"]["track"] for found in of_kind("Deployment")]
    assert tracks == ["stable", "canary"]


def test_the_service_of_kserve_has_the_runtime() -> None:
    (runtime,), (service,) = of_kind("ClusterServingRuntime"), of_kind("InferenceService")
    model = service["spec"]["predictor"]["model"]
    assert model["runtime"] == runtime["metadata"]["name"]
    assert model["protocolVersion"] in runtime["spec"]["protocolVersions"]
    assert model["modelFormat"]["name"] in [item["name"] for item in runtime["spec"]["supportedModelFormats"]]
