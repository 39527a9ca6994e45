"""The station's configuration file: one camera, one recipe, and who is told. Its parts are described in their rooms."""

import os
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, model_validator

from edge.capture.config import LiveConfig, SourceConfig, WatchConfig
from edge.changeover.config import ChangeoverConfig
from edge.command.config import CommandsConfig
from edge.evidence.config import EvidenceConfig
from edge.health.config import HealthConfig, PrometheusConfig
from edge.host.state import state_folder
from edge.page.config import PageConfig
from edge.recipe.config import RecipeStoreConfig
from edge.recipe.manifest import Name
from edge.report.config import HomeAssistantConfig, MqttConfig, OutboxConfig, ResultsConfig, SparkplugConfig
from edge.report.wire import StationName
from edge.shadow.config import ShadowConfig
from edge.shift.config import ShiftCheckConfig
from edge.strict import Place, Strict, load_yaml
from edge.teach.config import TeachConfig
from edge.types import Decision


class _Station(Strict):
    """What stands in a station's file whatever it is read for. simulated: no real parts; each result says so.

    takt_s: from the trigger, or from the frame's arrival, to the verdict; a later one is NOT_DECIDABLE. A watched file has
    arrived at the last look, each `source.poll_s`, that did not find it; one that lies there at the start when it is read.
    A pause does not count, and what comes in one has come at its end.
    """

    station: StationName
    source: SourceConfig
    mqtt: MqttConfig | None = None
    results: ResultsConfig | None = None
    sparkplug: SparkplugConfig | None = None
    home_assistant: HomeAssistantConfig | None = None
    shift_check: ShiftCheckConfig | None = None
    health: HealthConfig = HealthConfig()
    prometheus: PrometheusConfig | None = None
    evidence: EvidenceConfig | None = None
    page: PageConfig | None = None
    simulated: bool = False
    commands: CommandsConfig | None = None
    recipes: dict[Name, Place] = Field(default_factory=dict, max_length=100)
    recipe_public_key_file: Place | None = None
    recipe_store: RecipeStoreConfig | None = None
    changeover: ChangeoverConfig | None = None
    takt_s: Annotated[float, Field(gt=0, le=3600)] | None = None
    threads: int = Field(default=1, ge=1, le=64)
    teach: TeachConfig | None = None
    shadow: ShadowConfig | None = None


class CaptureConfig(_Station):
    """The file as far as taking pictures needs it: before there is a recipe, and before anybody is told."""

    recipe: Place | None = None


class StationConfig(_Station):
    """The whole file, as judging needs it."""

    recipe: Place

    @model_validator(mode="after")
    def _somebody_is_told(self) -> "StationConfig":
        if self.mqtt is None and self.results is None:
            raise ValueError("nobody would be told; add mqtt: or results:")
        return self

    @model_validator(mode="after")
    def _commands_have_what_they_need(self) -> "StationConfig":
        allow = self.commands.allow if self.commands else ()
        if self.commands and self.mqtt is None:
            raise ValueError("commands come over MQTT; add mqtt:")
        if "activate_recipe" in allow and not (self.recipes or self.recipe_store):
            raise ValueError("commands.allow: activate_recipe needs names; add recipes: {name: path} or recipe_store")
        if "rollback_recipe" in allow and not self.recipe_store:
            raise ValueError("commands.allow: rollback_recipe goes back in recipe_store, which is missing; add it")
        if "activate_recipe" in allow and self.shift_check:
            raise ValueError("commands.allow: activate_recipe would leave the recipe of shift_check; remove one of them")
        if isinstance(self.source, LiveConfig) and self.source.trigger == "command" and "trigger" not in allow:
            raise ValueError("source.trigger: the camera would wait for ever; add trigger to commands.allow")
        return self

    @model_validator(mode="after")
    def _one_says_which_recipe(self) -> "StationConfig":
        if self.shift_check and self.recipe_store:
            raise ValueError("recipe_store would leave the recipe of shift_check; remove one of them")
        if self.changeover is None:
            return self
        for key, other in (("shift_check", self.shift_check), ("recipe_store", self.recipe_store), ("shadow", self.shadow)):
            if other:
                raise ValueError(
                    f"changeover takes the recipe of each job, and {key} is about one recipe; remove one of them"
                )
        if self.commands and "activate_recipe" in self.commands.allow:
            raise ValueError("commands.allow: activate_recipe would be undone by the next job of changeover; remove it")
        if missing := sorted(set(self.changeover.names) - self.recipes.keys()):
            raise ValueError(f"changeover.rules: {', '.join(missing)} is not among recipes; add it there with its path")
        return self

    @model_validator(mode="after")
    def _teaching_has_pictures(self) -> "StationConfig":
        allow = self.commands.allow if self.commands else ()
        if self.teach and (self.evidence is None or Decision.NOK not in self.evidence.keep):
            raise ValueError("teach: looks at pictures of rejected parts; add evidence: with NOK among what it keeps")
        if self.teach is None and {"teach", "unteach"} & set(allow):
            raise ValueError("commands.allow: teach and unteach need limits; add teach: {}")
        return self

    @model_validator(mode="after")
    def _a_file_can_be_in_time(self) -> "StationConfig":
        # Not yet there at one look, found at the next, unchanged at the one after that.
        if isinstance(self.source, WatchConfig) and self.takt_s is not None and self.takt_s <= 2 * self.source.poll_s:
            raise ValueError(
                "takt_s: every file would be late, as it is looked at twice; make it more than 2 × source.poll_s"
            )
        return self

    @model_validator(mode="after")
    def _results_and_shadow_have_files_of_their_own(self) -> "StationConfig":
        ours, theirs = self.results, self.shadow and self.shadow.results
        # realpath: two names, or a link, may lead to one file.
        if ours and ours.path != "-" and theirs and os.path.realpath(ours.path) == os.path.realpath(theirs):
            raise ValueError(
                "shadow.results: is the file of results.path, and nobody could tell whose verdicts stand there; name another"
            )
        return self

    @model_validator(mode="after")
    def _bridges_need_a_broker(self) -> "StationConfig":
        for key in ("sparkplug", "home_assistant"):
            if getattr(self, key) is not None and self.mqtt is None:
                raise ValueError(f"{key} goes to the broker of mqtt, which is missing; add mqtt:")
        return self


Station = TypeVar("Station", CaptureConfig, StationConfig)


def load_config(path: Path) -> StationConfig:
    """Read a station's YAML; relative paths in it are taken from the folder it stands in.

    Raises:
        BadConfig: with every wrong key and what is wrong with it.
    """
    return _load(path, StationConfig)


def load_capture_config(path: Path) -> CaptureConfig:
    """The same file, read as strictly, when there may be no recipe yet and nobody to tell.

    Raises:
        BadConfig: as `load_config`, but for `recipe`, `mqtt` and `results` that are not there.
    """
    return _load(path, CaptureConfig)


def _load(path: Path, record: type[Station]) -> Station:
    config = load_yaml(path, record)
    state = state_folder(path)
    kept = state or path.resolve().parent
    return config.model_copy(
        update={
            "source": _with_memory(config.source, kept / path.stem),
            "mqtt": config.mqtt and _with_outbox(config.mqtt, kept / f"{path.stem}.outbox"),
            "sparkplug": config.sparkplug and _with_bdseq_file(config.sparkplug, kept),
            "evidence": config.evidence and (config.evidence.with_folder(state / "evidence") if state else config.evidence),
            "teach": config.teach and _with_ledger(config.teach, kept / f"{path.stem}.taught"),
            "page": config.page and config.page.with_decisions(kept / f"{path.stem}.decisions.jsonl"),
        }
    )


def _with_outbox(mqtt: MqttConfig, usual: Path) -> MqttConfig:
    if not isinstance(mqtt.outbox, OutboxConfig) or mqtt.outbox.path:
        return mqtt
    return mqtt.model_copy(update={"outbox": mqtt.outbox.model_copy(update={"path": str(usual)})})


def _with_memory(source: SourceConfig, usual: Path) -> SourceConfig:
    """With a place for what it keeps through restarts. usual: its name without an end."""
    match source:
        case LiveConfig():
            return source.with_noise_file(usual.with_name(f"{usual.name}.noise"))
        case WatchConfig():
            return source.with_in_work_file(usual.with_name(f"{usual.name}.in-work"))
        case _:
            return source


def _with_ledger(config: TeachConfig, usual: Path) -> TeachConfig:
    return config if config.file else config.model_copy(update={"file": str(usual)})


def _with_bdseq_file(config: SparkplugConfig, kept: Path) -> SparkplugConfig:
    if config.bdseq_file:
        return config
    # Group and edge node are unique in a plant, so stations that share a folder do not share the file.
    return config.model_copy(update={"bdseq_file": str(kept / f"sparkplug-{config.group}-{config.edge_node}.bdseq")})
