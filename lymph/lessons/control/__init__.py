"""The negative control: classes drawn at random, one for each patient."""
