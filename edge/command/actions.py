"""What each command does to the line."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.capture.triggers import Trigger as Wanted
from edge.capture.triggers import Triggers
from edge.command.controls import Controls
from edge.command.gatekeeper import Now
from edge.command.models import (
    ActivateRecipe,
    Code,
    Command,
    CommandName,
    LineState,
    Pause,
    Ping,
    Resume,
    SetThreshold,
    Status,
    Trigger,
)
from edge.errors import BadRecipe, GoodpartError
from edge.events import EventCode, Events
from edge.recipe.recipe import Recipe, open_recipe
from edge.types import Order

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, in one sentence; line: for `status`."""

    code: Code
    detail: str
    line: LineState | None = None


@dataclass(frozen=True, slots=True)
class Powers:
    """What the station file gives commands to work with.

    limits: the lowest and the highest threshold that may be set; threads: of the encoder of a recipe that is activated.
    """

    allow: frozenset[CommandName]
    recipes: Mapping[str, Path]
    limits: tuple[float, float] | None
    threads: int


class Actions:
    """Does commands, one at a time; a recipe is opened in a thread of its own, so that no part waits for it.

    triggers: where the camera waits for them; None: the source does not.
    """

    def __init__(self, controls: Controls, triggers: Triggers | None, powers: Powers, events: Events) -> None:
        self._controls, self._triggers, self._powers, self._events = controls, triggers, powers, events
        self._activating: str | None = None
        self._opener: threading.Thread | None = None

    def objection(self, command: Command) -> Outcome | None:
        """Why it cannot be done as the line is now."""
        match command:
            case Trigger():
                return self._no_trigger_now()
            case ActivateRecipe() if command.recipe not in self._powers.recipes:
                return Outcome(Code.REFUSED_STATE, f"{command.recipe} is not among the recipes of the station file")
            case ActivateRecipe() if self._activating:
                return Outcome(Code.BUSY, f"recipe {self._activating} is being opened; wait for its answer")
            case SetThreshold():
                return self._outside_limits(command)
            case _:
                return None

    def do(self, command: Command, mono_s: float, now: Now, done: Callable[[Outcome], None]) -> None:
        """Do it, and say how it ended, later if it takes its time. mono_s: when it came."""
        match command:
            case Trigger():
                done(self._trigger(command, mono_s, now))
            case Pause():
                self._controls.pause()
                done(Outcome(Code.OK, "paused after the part in work; no parts are judged until resume"))
            case Resume():
                self._controls.resume()
                done(Outcome(Code.OK, "parts are judged"))
            case ActivateRecipe():
                self._activate(command.recipe, done)
            case SetThreshold():
                done(self._set_threshold(command))
            case Status():
                done(Outcome(Code.OK, "as in line", self._state(now)))
            case Ping():
                done(Outcome(Code.OK, "here"))

    def close(self, timeout_s: float) -> None:
        """Wait for a recipe that is being opened, but not for ever."""
        if self._opener:
            self._opener.join(timeout_s)

    def _no_trigger_now(self) -> Outcome | None:
        if self._triggers is None:
            return Outcome(Code.REFUSED_STATE, "this source takes parts by itself; set source.trigger to command")
        if self._controls.paused:
            return Outcome(Code.REFUSED_STATE, "the line is paused; send resume")
        if not self._triggers.free:
            return Outcome(Code.BUSY, "the trigger before still waits for its frame; send this one again after its result")
        return None

    def _trigger(self, command: Trigger, mono_s: float, now: Now) -> Outcome:
        assert self._triggers is not None  # noqa: S101 - objection() has said so
        order = Order(command.job_id, command.command_id)
        if self._triggers.offer(Wanted(command.part_id, order, mono_s, now.utc)):
            return Outcome(Code.OK, "accepted; the result has this command_id")
        return Outcome(Code.FAILED, "the line has ended")

    def _outside_limits(self, command: SetThreshold) -> Outcome | None:
        limits, recipe = self._powers.limits, self._controls.recipe
        if (command.min, command.max) != limits:
            known = f"{limits[0]:g} to {limits[1]:g}" if limits else "not given"
            return Outcome(Code.REFUSED_LIMITS, f"commands.threshold is {known} here; sign a command with these limits")
        if command.recipe_id != recipe.id:
            return Outcome(Code.REFUSED_LIMITS, f"is not for the recipe in use, {recipe.manifest.name} {recipe.id}")
        return None

    def _set_threshold(self, command: SetThreshold) -> Outcome:
        def changed(recipe: Recipe) -> Recipe:
            if recipe.id != command.recipe_id:
                raise BadRecipe(f"recipe {recipe.manifest.name} has come into use; sign a command for it.")
            return recipe.with_threshold(command.threshold, command.command_id)

        try:
            self._controls.change_recipe(changed)
        except BadRecipe as err:
            return Outcome(Code.FAILED, str(err))
        return Outcome(
            Code.OK,
            f"the threshold is {command.threshold:g} until the process ends or a recipe is activated; "
            "the promise of the recipe does not hold",
        )

    def _activate(self, name: str, done: Callable[[Outcome], None]) -> None:
        self._activating = name

        def work() -> None:
            outcome = self._opened(name)
            self._activating = None
            done(outcome)

        self._opener = threading.Thread(target=work, name="activate", daemon=True)
        self._opener.start()

    def _opened(self, name: str) -> Outcome:
        before = self._controls.recipe.manifest.name
        try:
            recipe = open_recipe(self._powers.recipes[name], self._powers.threads)
            recipe.reproduce_golden()
        except GoodpartError as err:
            return Outcome(Code.FAILED, f"recipe {before} stays in use: {err}")
        except Exception as err:
            # Whatever a parser or the memory does: the line has a recipe, and goes on with it.
            log.exception("recipe %s cannot be opened", name)
            return Outcome(Code.FAILED, f"recipe {before} stays in use: {type(err).__name__}; the journal says more")
        self._controls.change_recipe(lambda _: recipe)
        self._events.say(EventCode.RECIPE_ACTIVATED, f"recipe {recipe.manifest.name} {recipe.id[:12]} judges from now on")
        return Outcome(Code.OK, f"recipe {recipe.manifest.name} {recipe.id} is in use, golden pictures reproduced")

    def _state(self, now: Now) -> LineState:
        recipe, by = self._controls.recipe, self._controls.recipe.threshold_command_id
        return LineState(
            state="PAUSED" if self._controls.paused else "RUNNING",
            recipe_name=recipe.manifest.name,
            recipe_id=recipe.id,
            threshold=recipe.manifest.threshold,
            threshold_command_id=by,
            promise_holds=by is None,
            activating=self._activating,
            recipes=tuple(sorted(self._powers.recipes)),
            allowed=tuple(sorted(self._powers.allow)),
            clock_synchronised=now.synchronised,
        )
