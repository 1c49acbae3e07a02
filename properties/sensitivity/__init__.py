"""How sensitive the judge is: sabotage at single steps of histories, and what is reported."""
