// Unfold's htmx as our policy wants it: no style element of its own, nothing compiled from attributes.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
