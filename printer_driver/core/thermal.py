"""Heaters of the virtual printer: temperatures that rise and fall at a steady rate."""

from dataclasses import dataclass, replace

AMBIENT_C = 21.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Heater:
    """One heater since its target last changed."""

    since_s: float = 0.0
    from_c: float = AMBIENT_C
    target_c: float = 0.0
    heating_c_per_s: float
    cooling_c_per_s: float

    def at(self, now_s: float) -> float:
        """Its temperature."""
        goal_c, elapsed_s = max(self.target_c, AMBIENT_C), max(0.0, now_s - self.since_s)
        if goal_c >= self.from_c:
            return min(goal_c, self.from_c + elapsed_s * self.heating_c_per_s)
        return max(goal_c, self.from_c - elapsed_s * self.cooling_c_per_s)

    def with_target(self, target_c: float, now_s: float) -> "Heater":
        """The heater after M104 or M140."""
        return replace(self, since_s=now_s, from_c=self.at(now_s), target_c=target_c)

    def reached_s(self, *, also_cooling: bool) -> float:
        """When the target is reached; at once when it only has to cool and need not wait."""
        goal_c = max(self.target_c, AMBIENT_C)
        if goal_c >= self.from_c:
            return self.since_s + (goal_c - self.from_c) / self.heating_c_per_s
        if not also_cooling:
            return self.since_s
        return self.since_s + (self.from_c - goal_c) / self.cooling_c_per_s
