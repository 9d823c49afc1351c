"""What users hold after a run: statistics, frames, pictures, a report."""
