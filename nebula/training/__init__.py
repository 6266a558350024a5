"""What a training loop needs beside the loss: parts of a batch, and the threshold that is served."""
