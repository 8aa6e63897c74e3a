"""What counted figures are compared with: limits.json, and what is said of a figure that is off."""
import json
import pathlib

PATH = pathlib.Path(__file__).with_name("limits.json")


def load():
    return json.loads(PATH.read_text(encoding="utf-8"))


def save(limits, counted):
    """Writes `counted`, as compare() takes it, in place of the figures; units that were not counted stay."""
    for unit, facts in counted.items():
        limits["figures"][unit] = facts
    PATH.write_text(json.dumps(limits, indent=2) + "\n", encoding="utf-8")


def bounds(limits, unit, fact):
    """The least and the greatest count that is accepted; None if the fact has no figure. Nothing stays nothing."""
    figure = limits["figures"].get(unit, {}).get(fact)
    if figure is None:
        return None
    absolute = limits["absolute_margin"].get(unit, 0) if figure else 0
    return (figure * (1 - limits["slack_percent"] / 100) - absolute,
            figure * (1 + limits["margin_percent"] / 100) + absolute)


def compare(limits, counted):
    """What is wrong with `counted`, {unit: {fact: count}}; a unit that is not in it was not counted."""
    problems = []
    for unit, facts in counted.items():
        figures = limits["figures"].get(unit, {})
        for fact in figures.keys() - facts.keys():
            problems.append(f"{fact}: limits.json has {unit} for it, and nothing was counted")
        for fact, count in facts.items():
            accepted = bounds(limits, unit, fact)
            if accepted is None:
                problems.append(f"{fact}: {count:g} {unit}, and limits.json has no figure for it")
            elif count > accepted[1]:
                rise = f", {100 * (count / figures[fact] - 1):.1f} % more" if figures[fact] else ""
                problems.append(f"{fact}: {count:g} {unit}{rise}, expected {figures[fact]:g}, at most {accepted[1]:g}")
            elif count < accepted[0]:
                fall = 100 * (1 - count / figures[fact])
                problems.append(f"{fact}: {count:g} {unit}, {fall:.1f} % less, expected {figures[fact]:g}: lower the "
                                "figure with --write, so that the gain is kept")
    return sorted(problems)
