"""The laws fitted over an experiment's runs, remembered as long as no onset changes."""

from collections import OrderedDict
from threading import Lock

import orjson

from backend.services.views import run_summary
from backend.storage.tables import Experiment
from tauscope.analysis.summary import summarize_experiment
from tauscope.contracts.onsets import PowerLawFit

_REMEMBERED = 512

Fits = dict[str, PowerLawFit]


class FitCache:
    """Fits by the onsets they were made from: a flush that changes no onset costs nothing."""

    def __init__(self) -> None:
        self._fits: OrderedDict[bytes, Fits] = OrderedDict()
        self._lock = Lock()

    def of(self, experiment: Experiment) -> Fits:
        """The fits over the runs as they stand."""
        basis = [[run.params, run.onsets, run.state == "failed"] for run in experiment.runs]
        key = orjson.dumps([experiment.id, basis], option=orjson.OPT_NON_STR_KEYS)
        # One at a time: many open pages ask for the same fit at the same moment.
        with self._lock:
            if key not in self._fits:
                runs = [run_summary(run) for run in experiment.runs]
                self._fits[key] = summarize_experiment(experiment.name, experiment.code_version, runs).fits
                if len(self._fits) > _REMEMBERED:
                    self._fits.popitem(last=False)
            self._fits.move_to_end(key)
            return self._fits[key]
