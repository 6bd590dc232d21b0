"""Apple devices through NanoMDM (commands and profiles) and KMFDDM (declarations)."""
