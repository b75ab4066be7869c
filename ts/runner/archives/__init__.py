"""Archives: opened, extracted, inspected and verified, without running anything of theirs."""
