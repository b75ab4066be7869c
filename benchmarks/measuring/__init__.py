"""Contenders timed in turn, their answers compared, and the machine that they ran on."""
