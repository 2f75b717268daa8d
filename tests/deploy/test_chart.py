"""The Helm chart gives real settings to a real command, and Kubernetes takes what it renders."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy_files import DEPLOY, VARIABLES, checker, documents, load_yaml, ran, unknown_words
from holdfast import __version__
from holdfast.settings import Settings, leaves, variable

CHART = DEPLOY / "helm/holdfast"
EXAMPLE = CHART / "ci/example-values.yaml"
KUBERNETES = ("1.27.0", "1.30.0", "1.37.0")
KINDS = {
    "ConfigMap", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget",
    "ServiceAccount",
}  # fmt: skip
Render = Callable[..., list[Any]]


@pytest.fixture
def helm(need: Callable[[object, str], None]) -> Path:
    program = checker("helm")
    need(program, "no helm: deploy/dev/checkers.sh install")
    assert program
    return program


@pytest.fixture
def render(helm: Path) -> Render:
    """Return a function that renders the chart with the example and `--set` words."""

    def rendered(*settings: str) -> list[Any]:
        status, text = template(helm, *settings)
        assert status == 0, text
        return documents(text)

    return rendered


def template(helm: Path, *settings: str, chart: Path = CHART) -> tuple[int, str]:
    words = [word for one in settings for word in ("--set", one)]
    return ran(
        helm, "template", "main", chart, "--kube-version", KUBERNETES[0], "-f", EXAMPLE, *words
    )


def one(kind: str, rendered: list[Any]) -> Any:
    (found,) = (document for document in rendered if document["kind"] == kind)
    return found


def part(component: str, kind: str, rendered: list[Any]) -> Any:
    """The document of this kind that one process has for itself."""
    name = f"main-{component}"
    return one(kind, [document for document in rendered if document["metadata"]["name"] == name])


def test_chart_is_of_the_product_s_version() -> None:
    assert load_yaml(CHART / "Chart.yaml")["appVersion"] == __version__


@pytest.mark.parametrize("path", [CHART / "values.yaml", EXAMPLE], ids=["defaults", "example"])
def test_settings_of_the_values_exist(path: Path) -> None:
    given = load_yaml(path)["settings"]
    assert {variable(name) for name, _ in leaves(given)} <= VARIABLES


def test_secrets_of_the_values_are_those_that_settings_take_from_files() -> None:
    known = {name for name, _ in leaves(Settings().model_dump())}
    secret = {
        name.removesuffix("_file")
        for name in known
        if f"{name.removesuffix('_file')}_command" in known
    }
    secret.remove("smtp.password")  # the chart's listener lets in by network alone
    # Only where checkpoints have a bucket of their own, or people sign in through a provider.
    rare = {"anchors.lock_secret_key", "oidc.client_secret"}
    assert set(load_yaml(CHART / "values.yaml")["secretKeys"]) == secret - rare
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    assert set(schema["properties"]["secretKeys"]["propertyNames"]["enum"]) == secret


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_command_exists_with_its_options(name: str) -> None:
    text = (CHART / f"templates/{name}.yaml").read_text(encoding="utf-8")
    arguments = re.search(r"args:\n((?: +- .*\n)+)", text)
    assert arguments
    words = [line.strip().removeprefix("- ") for line in arguments[1].splitlines()]
    assert words[0] == name
    assert unknown_words(words) == []


def test_helm_finds_nothing_wrong(helm: Path) -> None:
    status, text = ran(
        helm, "lint", "--strict", CHART, "--kube-version", KUBERNETES[0], "-f", EXAMPLE
    )
    assert status == 0, text


def test_everything_is_rendered_once(render: Render) -> None:
    rendered = Counter(document["kind"] for document in render())
    assert rendered == Counter(KINDS) + Counter({"Deployment": 1})  # the beat


def test_what_is_switched_off_is_not_rendered(render: Render) -> None:
    rendered = render(
        "autoscaling.enabled=false", "networkPolicy.enabled=false",
        "podDisruptionBudget.enabled=false", "serviceAccount.name=mine", "beat.enabled=false",
    )  # fmt: skip
    assert sorted(document["kind"] for document in rendered) == ["ConfigMap", "Deployment"]
    assert one("Deployment", rendered)["spec"]["replicas"] == 2


def test_settings_arrive_as_variables_that_the_product_knows(render: Render) -> None:
    given = one(
        "ConfigMap", render("settings.limits.parse_wall_s=0.5", "settings.index.heap_mib=16384")
    )["data"]
    assert set(given) <= VARIABLES
    assert given["HOLDFAST_LIMITS__PARSE_WALL_S"] == "0.5"
    assert given["HOLDFAST_INDEX__HEAP_MIB"] == "16384"
    assert given["HOLDFAST_WORK__PASSWORD_FILE"] == "/run/secrets/holdfast/work_password"
    assert given["HOLDFAST_ARCHIVE__INTERNAL_DOMAINS"] == "example.com,example.org"


@pytest.mark.parametrize("component", ["worker", "beat", "listener", "web"])
def test_pods_may_nothing_but_run(render: Render, component: str) -> None:
    rendered = render(*LISTENER, "web.enabled=true")
    pod = part(component, "Deployment", rendered)["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (*pod["initContainers"], *pod["containers"]):
        may = container["securityContext"]
        assert (may["readOnlyRootFilesystem"], may["allowPrivilegeEscalation"]) == (True, False)
        assert may["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]) == {"requests", "limits"}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_selectors_find_the_workers(render: Render) -> None:
    rendered = render()
    worker = part("worker", "Deployment", rendered)
    labels = worker["spec"]["template"]["metadata"]["labels"].items()
    chosen = [worker["spec"]["selector"]["matchLabels"]]
    chosen += [one("PodDisruptionBudget", rendered)["spec"]["selector"]["matchLabels"]]
    chosen += [one("NetworkPolicy", rendered)["spec"]["podSelector"]["matchLabels"]]
    assert all(selector.items() <= labels for selector in chosen)
    scaled = one("HorizontalPodAutoscaler", rendered)["spec"]["scaleTargetRef"]["name"]
    assert scaled == worker["metadata"]["name"]


def test_beat_is_neither_scaled_nor_taken_for_a_worker(render: Render) -> None:
    rendered = render()
    beat = part("beat", "Deployment", rendered)["spec"]
    labels = beat["template"]["metadata"]["labels"].items()
    assert beat["replicas"] == 1
    assert beat["selector"]["matchLabels"].items() <= labels
    assert one("NetworkPolicy", rendered)["spec"]["podSelector"]["matchLabels"].items() <= labels
    for others in (
        part("worker", "Deployment", rendered)["spec"]["selector"]["matchLabels"],
        one("PodDisruptionBudget", rendered)["spec"]["selector"]["matchLabels"],
    ):
        assert not others.items() <= labels


def test_beat_is_asked_where_it_serves_its_metrics(render: Render) -> None:
    rendered = render("beat.metricsPort=9999")
    (container,) = part("beat", "Deployment", rendered)["spec"]["template"]["spec"]["containers"]
    assert container["args"][0] == "beat"
    assert container["args"][-2:] == ["--metrics-port", "9999"]
    assert container["ports"] == [{"name": "metrics", "containerPort": 9999, "protocol": "TCP"}]
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/metrics", "port": "metrics"}
    assert "livenessProbe" not in container


def test_who_installs_it_is_told_of_what_starts(tmp_path: Path, helm: Path) -> None:
    chart = tmp_path / "holdfast"
    shutil.copytree(CHART, chart)
    text = (CHART / "templates/NOTES.txt").read_text(encoding="utf-8")
    commented = "".join(
        f"# {line}\n" for line in text.splitlines()
    )  # helm shows notes to a cluster alone
    (chart / "templates/notes.yaml").write_text(f"{commented}kind: None\n", encoding="utf-8")

    def notes(*settings: str) -> str:
        return template(helm, *settings, chart=chart)[1]

    assert "the workers of this archive and its beat start now." in notes()
    assert "the workers of this archive start now." in notes("beat.enabled=false")


LISTENER = (
    "listener.enabled=true", "listener.tlsSecret=mail-tls", "listener.service.type=LoadBalancer",
    "settings.smtp.addresses=journal@archive.example", "settings.smtp.networks=192.0.2.0/24",
)  # fmt: skip


def test_listener_is_rendered_where_it_is_asked_for(render: Render) -> None:
    rendered = render(*LISTENER)
    pod = part("listener", "Deployment", rendered)["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert unknown_words([str(word) for word in container["args"]]) == []
    assert {given["name"] for given in container["env"]} <= VARIABLES
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["spec"]["volumes"]}
    assert "tls" in mounted
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    labels = pod["metadata"]["labels"].items()
    service = part("listener", "Service", rendered)["spec"]
    assert service["selector"].items() <= labels
    assert service["externalTrafficPolicy"] == "Local"
    policy = part("listener", "NetworkPolicy", rendered)["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels
    assert policy["ingress"] == [{"ports": [{"port": "smtp", "protocol": "TCP"}]}]
    given = one("ConfigMap", rendered)["data"]
    assert given["HOLDFAST_SMTP__NETWORKS"] == "192.0.2.0/24"
    assert set(given) <= VARIABLES


def test_service_is_rendered_where_it_is_asked_for(render: Render) -> None:
    rendered = render("web.enabled=true")
    pod = part("web", "Deployment", rendered)["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert unknown_words([str(word) for word in container["args"]]) == []
    assert {given["name"] for given in container["env"]} <= VARIABLES
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    labels = pod["metadata"]["labels"].items()
    assert part("web", "Service", rendered)["spec"]["selector"].items() <= labels
    policy = part("web", "NetworkPolicy", rendered)["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels
    assert policy["ingress"] == [{"ports": [{"port": "http", "protocol": "TCP"}]}]


def test_nobody_may_call_a_worker_unless_named(render: Render) -> None:
    assert one("NetworkPolicy", render())["spec"]["ingress"] == []
    who = "networkPolicy.metricsFrom[0].podSelector.matchLabels.app=prometheus"
    (rule,) = one("NetworkPolicy", render(who))["spec"]["ingress"]
    assert rule["ports"] == [{"port": "metrics", "protocol": "TCP"}]


@pytest.mark.parametrize(
    "wrong",
    [
        "settings.catalogue.password=x", "settings.vault.secret_key=x", "image.tag=latest",
        "settings.catalogue.url=sqlite:///x", "settings.catalogue.url=postgresql://u:secret@h/d",
        "image.repository=", "existingSecret=", "storage.keysClaim=", "worker.metricsPort=0",
        "worker.thread=2", "colours.a=1", "beat.replicas=2",
    ],
)  # fmt: skip
def test_wrong_values_are_refused(helm: Path, wrong: str) -> None:
    status, text = template(helm, wrong)
    assert status != 0
    assert "schema" in text


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_takes_what_is_rendered(
    tmp_path: Path, helm: Path, need: Callable[[object, str], None], version: str
) -> None:
    validate = checker("kubernetes-validate")
    need(validate, "no kubernetes-validate: deploy/dev/checkers.sh install")
    rendered = tmp_path / "rendered.yaml"
    rendered.write_text(template(helm, *LISTENER)[1], encoding="utf-8")
    status, text = ran(validate, "--strict", "-k", version, rendered)
    assert status == 0, text
    assert text.count("passed for resource") == len(KINDS) + 4
    rendered.write_text(
        template(helm)[1].replace("readinessProbe", "readynessProbe"), encoding="utf-8"
    )
    assert ran(validate, "--strict", "-k", version, rendered)[0] != 0


def test_workers_reach_the_mail_servers_of_sources(render: Render) -> None:
    def mail(*values: str) -> list[object]:
        return list(one("NetworkPolicy", render(*values))["spec"]["egress"][2:])

    assert mail() == [{"ports": [{"port": 993, "protocol": "TCP"}]}]
    assert mail("networkPolicy.mailPorts=null") == []
