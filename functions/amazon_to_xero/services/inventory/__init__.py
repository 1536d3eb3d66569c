"""Stock at Amazon: it is recorded, and people hear of what matters. Nothing is planned or posted."""
