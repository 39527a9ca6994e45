"""Whether a trial rejects more than its recipe promised: a test that may look after every part.

Of n parts with a verdict by score, k were NOK. If goods alone came and the promise held, rejects would be at most Bernoulli
of p0. The likelihood ratio of the count, averaged over all higher rates p with equal weights,

    M(n, k) = ∫ p^k (1 - p)^(n - k) dp over p0..1, divided by (1 - p0) p0^k (1 - p0)^(n - k)

is a supermartingale under every rate up to p0 (Robbins 1970, Statistical methods related to the law of the iterated
logarithm), and exceeds 1/α at any time with a probability of at most α (Ville 1939). So it may be looked at after each part.
A hundred defective parts in a row are as doubtful as a hundred good ones rejected: the test cannot know what came, and so
says that somebody should look.
"""

from math import exp, lgamma, log, log1p

ERROR = 1e-4
"""How probable it is, over a whole trial, that a recipe which keeps its promise on good parts is doubted."""


def log_evidence(parts: int, rejects: int, promised: float) -> float:
    """Natural logarithm of M(n, k); promised: p0, above 0 and below 1.

    The integral is the Beta function of (k + 1, n - k + 1) times the tail of that distribution above p0, which equals the
    probability of at most k successes in n + 1 tries (Abramowitz & Stegun 1964, 26.5.24).
    """
    n, k = parts, rejects
    whole = lgamma(k + 1) + lgamma(n - k + 1) - lgamma(n + 2)
    tail = log_at_most(k, n + 1, promised)
    return whole + tail - log1p(-promised) - k * log(promised) - (n - k) * log1p(-promised)


def log_at_most(most: int, tries: int, share: float) -> float:
    """Natural logarithm of the binomial probability of at most so many successes."""
    terms = [
        lgamma(tries + 1) - lgamma(i + 1) - lgamma(tries - i + 1) + i * log(share) + (tries - i) * log1p(-share)
        for i in range(most + 1)
    ]
    highest = max(terms)
    return min(0.0, highest + log(sum(exp(term - highest) for term in terms)))


def too_many(parts: int, rejects: int, promised: float) -> bool:
    """Whether so many rejects are no chance, at the stated error over a whole trial."""
    return log_evidence(parts, rejects, promised) > -log(ERROR)
