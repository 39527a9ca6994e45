"""What each command does to the line."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from edge.capture.triggers import Offered, Triggers
from edge.capture.triggers import Trigger as Wanted
from edge.changeover.changeover import Changeover
from edge.command.controls import Controls
from edge.command.gatekeeper import Now
from edge.command.lessons import Lessons
from edge.command.models import (
    ActivateRecipe,
    Code,
    Command,
    CommandName,
    LineState,
    Pause,
    Ping,
    Resume,
    RollbackRecipe,
    SetJob,
    SetThreshold,
    Status,
    Teach,
    Trigger,
    Unteach,
)
from edge.command.recipes import RecipeChanges
from edge.errors import BadRecipe
from edge.recipe.recipe import Recipe
from edge.types import Order


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, in one sentence; line: for `status`."""

    code: Code
    detail: str
    line: LineState | None = None


_TRIGGER_WAITS = Outcome(Code.BUSY, "the trigger before still waits to be served; send this one again after its result")


@dataclass(frozen=True, slots=True)
class Powers:
    """What the station file gives commands to work with.

    limits: the lowest and the highest threshold that may be set.
    """

    allow: frozenset[CommandName]
    limits: tuple[float, float] | None


class Actions:
    """Does commands, one at a time; a recipe is opened in a thread of its own, so that no part waits for it.

    triggers: where the camera waits for them, None: the source does not; changeover: which recipe a job has, where each has
    its own.
    """

    def __init__(
        self,
        controls: Controls,
        triggers: Triggers | None,
        powers: Powers,
        recipes: RecipeChanges,
        lessons: Lessons,
        changeover: Changeover | None = None,
    ) -> None:
        self._controls, self._triggers, self._powers = controls, triggers, powers
        self._recipes, self._lessons, self._changeover = recipes, lessons, changeover

    def objection(self, command: Command) -> Outcome | None:
        """Why it cannot be done as the line is now."""
        match command:
            case Trigger():
                return self._no_trigger_now()
            case SetJob() if self._triggers is not None:
                return Outcome(Code.REFUSED_STATE, "each trigger names its job here; send it with the trigger")
            case ActivateRecipe() | RollbackRecipe():
                return self._no_recipe_now(command)
            case Teach() | Unteach():
                return self._no_lesson_now()
            case SetThreshold():
                return self._outside_limits(command)
            case _:
                return None

    def do(self, command: Command, mono_s: float, now: Now, done: Callable[[Outcome], None]) -> None:
        """Do it, and say how it ended, later if it takes its time. mono_s: when it came."""
        match command:
            case ActivateRecipe(recipe=name):
                self._recipes.activate(name, _in_the_end(done))
            case RollbackRecipe():
                self._recipes.roll_back(_in_the_end(done))
            case Teach(result_id=part, who=who, reason=reason):
                self._lessons.give(lambda teaching: teaching.accept(part, who, reason), _in_the_end(done))
            case Unteach(result_id=last, who=who, reason=reason):
                self._lessons.give(lambda teaching: teaching.undo(who, reason, last), _in_the_end(done))
            case Trigger():
                done(self._trigger(command, mono_s, now))
            case SetJob():
                done(self._set_job(command))
            case SetThreshold():
                done(self._set_threshold(command))
            case Pause() | Resume() | Status() | Ping():
                done(self._at_once(command, now))

    def _at_once(self, command: Pause | Resume | Status | Ping, now: Now) -> Outcome:
        match command:
            case Pause():
                self._controls.pause()
                return Outcome(Code.OK, "paused after the part in work; no parts are judged until resume")
            case Resume():
                self._controls.resume()
                return Outcome(Code.OK, "parts are judged")
            case Status():
                return Outcome(Code.OK, "as in line", self._state(now))
            case Ping():
                return Outcome(Code.OK, "here")

    def close(self, timeout_s: float) -> None:
        """Wait for a recipe that is being opened and a part that is being taught, but not for ever."""
        self._recipes.close(timeout_s)
        self._lessons.close(timeout_s)

    def _no_trigger_now(self) -> Outcome | None:
        if self._triggers is None:
            return Outcome(Code.REFUSED_STATE, "this source takes parts by itself; set source.trigger to command")
        if self._controls.paused:
            return Outcome(Code.REFUSED_STATE, "the line is paused; send resume")
        if not self._triggers.free:
            return _TRIGGER_WAITS
        return None

    def _no_recipe_now(self, command: ActivateRecipe | RollbackRecipe) -> Outcome | None:
        if isinstance(command, ActivateRecipe) and not self._recipes.knows(command.recipe):
            return Outcome(Code.REFUSED_STATE, f"{command.recipe} is not among the recipes of the station file")
        if self._recipes.opening:
            return Outcome(Code.BUSY, f"recipe {self._recipes.opening} is being opened; wait for its answer")
        return None

    def _no_lesson_now(self) -> Outcome | None:
        if not self._lessons.possible:
            return Outcome(Code.REFUSED_STATE, "nothing can be taught: add teach to the station file, or mend teach.file")
        if self._lessons.going_on:
            return Outcome(Code.BUSY, "another part is being taught; wait for its answer")
        return None

    def _trigger(self, command: Trigger, mono_s: float, now: Now) -> Outcome:
        assert self._triggers is not None  # noqa: S101 - objection() has said so
        order = Order(command.job_id, command.command_id, command.part_type)
        match self._triggers.offer(Wanted(command.part_id, order, mono_s, now.utc)):
            case Offered.TAKEN:
                return Outcome(Code.OK, "accepted; the result has this command_id")
            case Offered.BUSY:
                return _TRIGGER_WAITS
            case Offered.ENDED:
                return Outcome(Code.FAILED, "the line has ended")

    def _set_job(self, command: SetJob) -> Outcome:
        job = Order(command.job_id, None, command.part_type)
        # Now, not when the command came: it may have waited, and parts of before are not of this job.
        self._controls.set_job(job, time.monotonic())
        words = f"parts that are taken from now on are of job {command.job_id}"
        if self._changeover is None:
            return Outcome(Code.OK, words)
        name = self._changeover.recipe_for(job)
        fate = f"judged with recipe {name}" if name else "NOT_DECIDABLE NO_RECIPE: no rule of changeover.rules matches"
        return Outcome(Code.OK, f"{words}, {fate}")

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

    def _state(self, now: Now) -> LineState:
        recipe, job = self._controls.recipe, self._controls.job
        by = recipe.threshold_command_id
        return LineState(
            state="PAUSED" if self._controls.paused else "RUNNING",
            recipe_name=recipe.manifest.name,
            recipe_id=recipe.id,
            threshold=recipe.manifest.threshold,
            threshold_command_id=by,
            promise_holds=recipe.promise_holds,
            taught=len(recipe.taught),
            activating=self._recipes.opening,
            recipes=self._recipes.names,
            slots=self._recipes.slots(),
            job_id=job.job_id if job else None,
            allowed=tuple(sorted(self._powers.allow)),
            clock_synchronised=now.synchronised,
        )


def _in_the_end(done: Callable[[Outcome], None]) -> Callable[[bool, str], None]:
    return lambda well, words: done(Outcome(Code.OK if well else Code.FAILED, words))
