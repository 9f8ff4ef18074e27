"""How well a list hides its children: k, l and the risk that somebody is found in it.

Sources: GB/T 37964-2019; GB/T 42460-2023, whose annex D evaluates by the k-anonymity model. Of n records in classes
j of f_j records with equal quasi-identifiers, F_j people in the population answer to the same description:

- prosecutor 检察官攻击 (knows that a child is on the list): maximum 1 / min f_j; average (number of classes) / n;
  share of records whose 1 / f_j lies above the threshold;
- journalist 记者攻击 (holds the population, does not know who is on the list): maximum 1 / min F_j; average the larger
  of (number of classes) / Σ F_j and (1/n) Σ f_j / F_j; share of records whose 1 / F_j lies above the threshold;
- marketer 营销者攻击 (matches as many as possible): (1/n) Σ f_j / F_j, the expected share of records matched rightly.

k is min f_j. l of a sensitive field is the least number of its different values in a class (distinct l-diversity).
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Class = Hashable


@dataclass(frozen=True, slots=True)
class Group:
    """Records told of alike: their class, how many, and their sensitive values by field."""

    group: Class
    count: int
    sensitive: Mapping[str, Hashable]


@dataclass(frozen=True, slots=True)
class Attack:
    """The risk under one kind of attacker; each a share from 0 to 1."""

    maximum: float
    average: float
    above: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What a list's de-identification comes to. `sizes`: class size → number of classes; counts only."""

    records: int
    k: int
    sizes: Mapping[int, int]
    diversity: Mapping[str, int]
    prosecutor: Attack
    journalist: Attack
    marketer: float

    def told(self) -> dict[str, object]:
        """As the report has it."""
        return {
            "records": self.records,
            "classes": sum(self.sizes.values()),
            "k": self.k,
            "sizes": [{"size": size, "classes": count} for size, count in sorted(self.sizes.items())],
            "l": dict(self.diversity),
            "risk": {
                "prosecutor": _told(self.prosecutor),
                "journalist": _told(self.journalist),
                "marketer": round(self.marketer, 6),
            },
        }


def _told(attack: Attack) -> dict[str, float]:
    return {
        "maximum": round(attack.maximum, 6),
        "average": round(attack.average, 6),
        "above_threshold": round(attack.above, 6),
    }


def effect(groups: Sequence[Group], population: Mapping[Class, int], threshold: float) -> Effect:
    """The measures of a list. A class the population knows fewer of than the list itself counts as the list's."""
    sizes: Counter[Class] = Counter()
    for group in groups:
        sizes[group.group] += group.count
    pairs = [(size, max(size, population.get(found, 0))) for found, size in sizes.items()]
    total, hit = sum(sizes.values()), _expected_hits(pairs)
    return Effect(
        records=total,
        k=min(sizes.values(), default=0),
        sizes=Counter(sizes.values()),
        diversity=_diversity(groups),
        prosecutor=_attack([(size, size) for size, _ in pairs], _share(len(pairs), total), threshold),
        journalist=_attack(
            pairs, max(_share(len(pairs), sum(people for _, people in pairs)), _share(hit, total)), threshold
        ),
        marketer=_share(hit, total),
    )


def _attack(pairs: Iterable[tuple[int, int]], average: float, threshold: float) -> Attack:
    """`pairs`: records of a class, and people among whom the attacker would have to choose."""
    known = list(pairs)
    return Attack(
        maximum=max((1 / people for _, people in known), default=0.0),
        average=average,
        above=_share(
            sum(size for size, people in known if 1 / people > threshold), sum(size for size, _ in known)
        ),
    )


def _expected_hits(pairs: Iterable[tuple[int, int]]) -> float:
    return sum(size / people for size, people in pairs)


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0


def _diversity(groups: Sequence[Group]) -> dict[str, int]:
    values: dict[str, dict[Class, set[Hashable]]] = defaultdict(lambda: defaultdict(set))
    for group in groups:
        for name, value in group.sensitive.items():
            values[name][group.group].add(value)
    return {name: min(len(found) for found in classes.values()) for name, classes in values.items()}
