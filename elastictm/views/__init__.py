"""What users look at: progress, and histories as text and graphs. Pure but for what progress draws."""
