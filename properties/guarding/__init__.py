"""Systems in child processes, watched: to hang or to die there is an outcome like any other."""
