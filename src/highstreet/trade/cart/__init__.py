"""What a shopper means to buy. A cart promises nothing and holds nothing."""
