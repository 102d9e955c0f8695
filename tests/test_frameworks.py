"""The examples in real frameworks: pages, forms, cookies, logins, static files, uploads and downloads."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from conftest import Serve
from support.server import REPOSITORY, Server, clean_environment

MIB = 1 << 20
TIMEOUT = 60


def blocks(count: int) -> Iterator[bytes]:
    """`count` MiB, each block another one."""
    for number in range(count):
        yield hashlib.sha256(str(number).encode()).digest() * (MIB // 32)


def digest(pieces: Iterator[bytes]) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()


class Sized:
    """A body that is read in pieces and whose size is known, so that it is sent with Content-Length."""

    def __init__(self, count: int) -> None:
        self.size = count * MIB
        self.pieces = blocks(count)
        self.rest = b""

    def __len__(self) -> int:
        return self.size

    def read(self, size: int) -> bytes:
        if not self.rest:
            self.rest = next(self.pieces, b"")
        piece, self.rest = self.rest[:size], self.rest[size:]
        return piece


def token(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, page
    return found[1]


@pytest.fixture(scope="module")
def flask(serve_module: Serve) -> Server:
    return serve_module("examples.flask_app:create_app()", cwd=REPOSITORY)


@pytest.fixture(scope="module")
def bottle(serve_module: Serve) -> Server:
    return serve_module("examples.bottle_app:app", cwd=REPOSITORY)


@pytest.fixture(scope="module")
def django(serve_module: Serve, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The project with a fresh database and a superuser."""
    project = REPOSITORY / "examples" / "django_site"
    environment = {
        "DJANGO_DATABASE": str(tmp_path_factory.mktemp("django") / "database"),
        "DJANGO_SUPERUSER_USERNAME": "admin",
        "DJANGO_SUPERUSER_EMAIL": "admin@example.org",
        "DJANGO_SUPERUSER_PASSWORD": "correct horse",
    }
    for arguments in (["migrate", "--verbosity", "0"], ["createsuperuser", "--no-input", "--verbosity", "0"]):
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=project,
            env=clean_environment(**environment),
            timeout=TIMEOUT,
            check=True,
        )
    return serve_module("mysite.wsgi", cwd=project, environment=environment)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        # Neither proxies nor credentials of whoever runs the tests.
        session.trust_env = False
        yield session


# Flask


def test_flask_login_is_kept_in_a_cookie(flask: Server, session: requests.Session) -> None:
    assert "Hello, stranger!" in session.get(flask.url, timeout=TIMEOUT).text
    response = session.post(f"{flask.url}/login", data={"name": "Zo\xeb <b>"}, timeout=TIMEOUT)
    assert [step.status_code for step in response.history] == [302]
    assert "Hello, Zo\xeb &lt;b&gt;!" in response.text
    assert "Zo\xeb" in session.get(flask.url, timeout=TIMEOUT).text
    assert "Hello, stranger!" in session.post(f"{flask.url}/logout", timeout=TIMEOUT).text


def test_flask_errors(flask: Server, session: requests.Session) -> None:
    assert session.get(f"{flask.url}/nowhere", timeout=TIMEOUT).status_code == 404
    assert session.get(f"{flask.url}/login", timeout=TIMEOUT).status_code == 405
    assert session.post(f"{flask.url}/login", timeout=TIMEOUT).status_code == 400
    assert session.head(flask.url, timeout=TIMEOUT).text == ""


def test_flask_form_with_a_file(flask: Server, session: requests.Session) -> None:
    content = os.urandom(300_000)
    response = session.post(f"{flask.url}/attach", files={"file": ("f\xfc.bin", content)}, timeout=TIMEOUT)
    assert response.json() == {
        "name": "f\xfc.bin",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_flask_upload_of_100_mib(flask: Server, session: requests.Session, framing: str) -> None:
    body = Sized(100) if framing == "length" else blocks(100)
    response = session.post(f"{flask.url}/upload", data=body, timeout=TIMEOUT)  # type: ignore[arg-type]
    assert response.json() == {"size": 100 * MIB, "sha256": digest(blocks(100))}


def test_flask_download_of_100_mib(flask: Server, session: requests.Session) -> None:
    from examples import flask_app

    size = 100 * MIB + 12_345
    with session.get(f"{flask.url}/download/{size}", stream=True, timeout=TIMEOUT) as response:
        assert response.headers["Content-Length"] == str(size)
        assert digest(response.iter_content(MIB)) == digest(flask_app.blocks(size))


# Bottle


def test_bottle_form_and_cookie(bottle: Server, session: requests.Session) -> None:
    assert "Hello, stranger!" in session.get(bottle.url, timeout=TIMEOUT).text
    assert "Hello, Ada!" in session.post(bottle.url, data={"name": "Ada"}, timeout=TIMEOUT).text
    assert "Hello, Ada!" in session.get(bottle.url, timeout=TIMEOUT).text
    assert "Hello, \N{SNOWMAN}!" in session.post(bottle.url, data={"name": "\N{SNOWMAN}"}, timeout=TIMEOUT).text


def test_bottle_download(bottle: Server, session: requests.Session) -> None:
    size = 3 * MIB + 7
    content = session.get(f"{bottle.url}/download/{size}", timeout=TIMEOUT).content
    assert content == (b"0123456789abcde\n" * (size // 16 + 1))[:size]


# Django


def test_django_form_with_csrf(django: Server, session: requests.Session) -> None:
    page = session.get(django.url, timeout=TIMEOUT)
    assert page.status_code == 200
    entry = {"name": "Grace", "message": "Was h\xe9re <script>", "csrfmiddlewaretoken": token(page.text)}
    response = session.post(f"{django.url}/", data=entry, timeout=TIMEOUT)
    assert [step.status_code for step in response.history] == [302]
    assert "<b>Grace</b> Was h\xe9re &lt;script&gt;" in response.text
    assert "Grace" in requests.get(django.url, timeout=TIMEOUT).text


def test_django_refuses_without_csrf(django: Server, session: requests.Session) -> None:
    entry = {"name": "Mallory", "message": "forged"}
    assert session.post(f"{django.url}/", data=entry, timeout=TIMEOUT).status_code == 403
    assert "Mallory" not in session.get(django.url, timeout=TIMEOUT).text


def test_django_refuses_an_incomplete_form(django: Server, session: requests.Session) -> None:
    page = session.get(django.url, timeout=TIMEOUT).text
    response = session.post(f"{django.url}/", data={"csrfmiddlewaretoken": token(page)}, timeout=TIMEOUT)
    assert response.status_code == 400 and "This field is required." in response.text


def test_django_refuses_a_foreign_host(django: Server, session: requests.Session) -> None:
    assert session.get(django.url, headers={"Host": "evil.example"}, timeout=TIMEOUT).status_code == 400


def test_django_admin(django: Server, session: requests.Session) -> None:
    """Log in, make an entry, find it in the list, log out."""
    login = session.get(f"{django.url}/admin/", timeout=TIMEOUT)
    assert "Log in" in login.text
    form = {"username": "admin", "password": "wrong", "csrfmiddlewaretoken": token(login.text), "next": "/admin/"}
    refused = session.post(login.url, data=form, timeout=TIMEOUT)
    assert "Please enter the correct username and password" in refused.text
    form |= {"password": "correct horse", "csrfmiddlewaretoken": token(refused.text)}
    entered = session.post(login.url, data=form, timeout=TIMEOUT)
    assert entered.status_code == 200 and "Site administration" in entered.text
    assert "sessionid" in session.cookies and "csrftoken" in session.cookies

    add = f"{django.url}/admin/guestbook/entry/add/"
    entry = {"name": "Root", "message": "from the admin", "csrfmiddlewaretoken": token(session.get(add).text)}
    saved = session.post(add, data=entry, timeout=TIMEOUT)
    assert saved.url == f"{django.url}/admin/guestbook/entry/" and "from the admin" in saved.text

    session.post(
        f"{django.url}/admin/logout/", data={"csrfmiddlewaretoken": session.cookies["csrftoken"]}, timeout=TIMEOUT
    )
    assert "Log in" in session.get(f"{django.url}/admin/", timeout=TIMEOUT).text


def test_django_static_files_of_the_admin(django: Server, session: requests.Session) -> None:
    """Byte for byte those of the installed package, and not sent again to whoever has them."""
    from django.contrib import admin

    source = Path(admin.__file__).parent / "static" / "admin"
    page = session.get(f"{django.url}/admin/login/", timeout=TIMEOUT).text
    linked = re.findall(r'(?:href|src)="(/static/admin/[^"]+)"', page)
    assert len(linked) >= 3, page
    for path in linked:
        response = session.get(django.url + path, headers={"Accept-Encoding": "identity"}, timeout=TIMEOUT)
        assert response.status_code == 200
        assert response.content == (source / path.removeprefix("/static/admin/")).read_bytes()
        unchanged = {"If-Modified-Since": response.headers["Last-Modified"]}
        again = session.get(django.url + path, headers=unchanged, timeout=TIMEOUT)
        assert (again.status_code, again.content) == (304, b"")
        assert session.head(django.url + path, timeout=TIMEOUT).status_code == 200
