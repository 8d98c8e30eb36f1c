"""Other ways to do Renderline's work, written as a competent user would."""
