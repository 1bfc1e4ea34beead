"""The report: a run on one page that needs nothing but itself."""

from __future__ import annotations

from .._version import __version__
from ..nn.summary import summary
from .charts import Chart, chart
from .highlight import to_html
from .outcome import Outcome, show_score
from .pictures import COLOR, data_uri
from .session import Session

__all__ = ["render"]

CURVES = {"training": "train", "validation": "val"}


def render(session: Session, outcome: Outcome, name: str) -> str:
    """Make the page of a run as HTML: curves, confusion matrix, mistakes, model, settings, and the spelled step.

    name  of the run, which the page is headed with
    """
    import jinja2  # when it is used: the training itself needs none of the `app` extra

    # Everything is escaped, but for the code: Pygments escapes it by itself.
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("chalkgrad.train"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["picture"] = data_uri
    page = environment.get_template("report.html")
    data, settings = session.problem.data, session.settings
    return page.render(
        name=name,
        version=__version__,
        data=data,
        settings=settings,
        choices=_choices(session),
        outcome=outcome,
        score=show_score(outcome.score, outcome.measure, outcome.unit),
        charts=_charts(session),
        table=summary(session.model, (settings.batch_size, *data.x.shape[1:])),
        has_pictures=data.x.ndim == 4 and data.x.shape[1] in COLOR,
        code=to_html(str(session.program)),
    )


def _charts(session: Session) -> list[Chart]:
    history, measure, unit = session.trainer.history, session.problem.measure, session.problem.unit

    def series(key: str) -> dict[str, list[float]]:
        return {name: [record[f"{part}_{key}"] for record in history] for name, part in CURVES.items()}

    title = f"mean error in {unit}" if unit else measure
    return [chart("loss", series("loss")), chart(title, series(measure), percent=measure == "accuracy")]


def _choices(session: Session) -> dict[str, str]:
    """Name what the run's numbers follow from."""
    settings, problem = session.settings, session.problem
    rows = [f"{len(x):,}" for x, _ in (problem.train, problem.val, problem.test)]
    return {
        "optimizer": settings.optimizer,
        "learning rate": f"{settings.lr:g}",
        f"every {settings.lr_step} epochs": f"times {settings.lr_gamma:g}",
        "weight decay": f"{settings.weight_decay:g}",
        "batch size": f"{settings.batch_size:,}",
        "seed": f"{settings.seed}",
        **dict(zip(("training rows", "validation rows", "test rows"), rows)),
    }
