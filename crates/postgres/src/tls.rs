//! TLS: rustls, with the cryptography that the rest of the project uses.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::settings::Verification;

/// What connects by TLS. An error says what is wrong with the certificates that are to be trusted.
pub(crate) fn connector(verification: &Verification) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be used ({error})"))?;
    let config = match verification {
        Verification::None => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))),
        Verification::Full { roots } => {
            let mut trusted = RootCertStore::empty();
            match roots {
                Some(path) => {
                    let unreadable = |error| {
                        format!("the certificates in {} cannot be read ({error}): check `sslrootcert`", path.display())
                    };
                    let found = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
                    for certificate in found {
                        let certificate = certificate.map_err(unreadable)?;
                        trusted
                            .add(certificate)
                            .map_err(|error| format!("a certificate in {} is not valid ({error})", path.display()))?;
                    }
                }
                None => {
                    let _ = trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                }
            }
            if trusted.is_empty() {
                return Err("no certificates are trusted: name a file of them as `sslrootcert`".to_owned());
            }
            builder.with_root_certificates(trusted)
        }
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

/// Takes any certificate: what is sent is encrypted, and who receives it is not known.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
