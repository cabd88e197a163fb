"""What a wheel holds beside the library: the app that `lymph app` opens, in lymph/_app.

In the repository app.py and pages/ stay at the top, for `streamlit run app.py`.
"""

from pathlib import Path
from shutil import copytree, ignore_patterns

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py


class BuildWithApp(build_py):
    """Copy the app beside the library that it draws; an editable install uses the repository's."""

    def run(self) -> None:
        """Copy the library, then the app."""
        super().run()
        if not self.editable_mode:
            app = Path(self.build_lib) / "lymph" / "_app"
            self.mkpath(str(app))
            self.copy_file("app.py", str(app))
            for folder in ("pages", ".streamlit"):
                ignored = ignore_patterns("__pycache__", "secrets.toml")
                copytree(folder, app / folder, ignore=ignored, dirs_exist_ok=True)


setup(
    packages=find_packages(include=["lymph", "lymph.*"]),
    package_data={
        "lymph": [
            "py.typed",
            "charts/*.css",
            "reports/templates/*",
            "runs/ready/*/*",
            "lessons/figures/*",
        ]
    },
    cmdclass={"build_py": BuildWithApp},
)
