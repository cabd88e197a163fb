"""The parts of the Results page: patients, matrix, chosen pictures, viewer, charts, twins."""
