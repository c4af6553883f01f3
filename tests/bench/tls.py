# SPDX-License-Identifier: GPL-3.0-or-later
"""
What TLS needs: a certificate that all servers show, and the version, cipher and
options that are the same for all of them and for the client.
"""

import os
import shutil
import subprocess

CIPHER = "TLS_AES_128_GCM_SHA256"       # of TLS 1.3, which everybody speaks here
NAME = "bench.example"
RESUMED_AT_LEAST = .9                   # of the handshakes of a scenario that resumes


class Certificate:
    """A key on P-256 and its certificate, signed by itself, in files of that folder."""

    def __init__(self, folder):
        self.chain, self.key, self.both = (os.path.join(folder, f"tls-{name}.pem") for name in ("chain", "key", "both"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "30", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
                        "-keyout", self.key, "-out", self.chain],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(self.both, "w") as both:
            for path in (self.chain, self.key):
                with open(path) as part:
                    shutil.copyfileobj(part, both)
        os.chmod(self.both, 0o600)

    def client_options(self):
        """Of drover-bench, which verifies the server: it is known to show this certificate."""
        return {"tls": None, "tls-version": "1.3", "ca": self.chain, "sni": NAME}

    def drover_settings(self, isolate):
        return (f'tls = {{ chain = "{self.chain}"; key = "{self.key}"; min_version = "1.3"; '
                f'ciphersuites = "{CIPHER}"; isolate_keys = {"true" if isolate else "false"}; }};')


def has_openssl():
    return shutil.which("openssl") is not None


def complaint(report, resumes):
    """What in a report of the client shows that a server did something else than the others; or None."""
    if report["tls_cipher"] != CIPHER:
        return f"it speaks {report['tls']} with {report['tls_cipher']}, not {CIPHER}"
    share = report["resumed_share"] or 0
    if resumes and share < RESUMED_AT_LEAST and report["handshakes"] > 100:
        return f"only {share:.0%} of the sessions were resumed"
    return "it resumed sessions" if share and not resumes else None
