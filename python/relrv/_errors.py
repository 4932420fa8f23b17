"""What can go wrong. Texts are those of the command line: they name the file, option or value that is to blame."""


class RelrvError(Exception):
    """Anything that relrv says is wrong."""


class OptionError(RelrvError, ValueError):
    """An option that makes no sense; the text names it, and says what was expected and found."""


class ArraysError(RelrvError, ValueError):
    """Arrays that do not fit each other, or whose type, shape or unit is not what it should be."""


class SpectrumError(ArraysError):
    """Arrays that are no spectrum."""


class TableError(RelrvError, ValueError):
    """A table lacks a column that is needed, or has one that is not what it should be."""


class FormatError(RelrvError, ValueError):
    """A file is not what it should be; the text says what was expected and found."""


class FileError(RelrvError, OSError):
    """A file or directory could not be read or written."""


class OccupiedError(FileError):
    """A directory or file belongs to another run, another command, another program or somebody else; it is left alone."""


class GoneError(FileError):
    """An input cannot be found that an earlier call of the same run has used."""


class NoRunError(FileError):
    """A directory holds no finished run."""


class NothingUsableError(RelrvError):
    """Nothing could be measured."""


class CalibrationError(RelrvError):
    """The zero points have no solution, or did not settle."""


class DeviceError(RelrvError, RuntimeError):
    """There is no graphics processor, or none that fits what was asked for, or it failed."""


class StoppedError(RelrvError):
    """The work was asked to end."""
