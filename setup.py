"""What pyproject.toml cannot say: the found packages, and the example project under supabase/ as one more."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["sbsync_tasks*"]), "sbsync_tasks.example"],
    package_dir={"sbsync_tasks.example": "supabase"},
)
