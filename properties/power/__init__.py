"""How strong the search is: every planted bug against every driver, counted, scored and drawn."""
