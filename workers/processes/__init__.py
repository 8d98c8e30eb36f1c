"""The Procfile's processes on one machine: started, watched, restarted alone, stopped together."""
