"""The set autoencoder: its form in NumPy, its torch network, and how it is fitted."""

from gsfm.models.autoencoder.model import Autoencoder, AutoencoderConfig

__all__ = ["Autoencoder", "AutoencoderConfig"]
